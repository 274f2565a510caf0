// Runs the nodes of packaging/receivers/n8n.json without n8n: webhooks, code, conditions, answers and files, as far as
// that workflow uses them. `node n8n_stand_in.js WORKFLOW FOLDER`, with CALLSPOOL_SECRET in the environment.
const fs = require("fs"), http = require("http"), path = require("path");
const [workflow, folder] = [JSON.parse(fs.readFileSync(process.argv[2], "utf8")), process.argv[3]];
const nodes = Object.fromEntries(workflow.nodes.map((node) => [node.name, node]));
const kept = {};
const env = { ...process.env };

// `={{ … }}` and text around it.
function evaluate(text, item, done) {
    if (!text.startsWith("=")) return text;
    const $ = (name) => ({ first: () => done[name] });
    const value = (code) => new Function("$json", "$", `return (${code});`)(item.json, $);
    const whole = /^=\{\{([\s\S]*)\}\}$/.exec(text);
    return whole && !whole[1].includes("{{") ? value(whole[1]) : text.slice(1).replace(/\{\{(.*?)\}\}/g, (_, code) => value(code));
}

const AsyncFunction = (async () => {}).constructor;
async function run(node, item, done, response) {
    const p = node.parameters;
    let out = 0, next = item;
    switch (node.type.replace("n8n-nodes-base.", "")) {
        case "webhook": case "noOp": break;
        case "code": {
            const helpers = { getBinaryDataBuffer: async (_, name) => item.binary[name] };
            const body = new AsyncFunction("$env", "$input", "$getWorkflowStaticData", "$", "require", p.jsCode);
            const $ = (name) => ({ first: () => done[name] });
            [next] = await body.call({ helpers }, env, { first: () => item }, () => kept, $, require);
            break;
        }
        case "if": {
            const [condition] = p.conditions.conditions;
            const left = evaluate(condition.leftValue, item, done);
            out = { notEmpty: left && Object.keys(left).length > 0, true: left === true }[condition.operator.operation] ? 0 : 1;
            break;
        }
        case "readWriteFile":
            fs.writeFileSync(path.join(folder, path.basename(evaluate(p.fileName, item, done))), item.binary[p.dataPropertyName]);
            break;
        case "respondToWebhook":
            response.writeHead(evaluate(p.options.responseCode, item, done), { "content-type": "application/json" });
            response.end(evaluate(p.responseBody, item, done));
            break;
        default: throw new Error(`what is ${node.type}?`);
    }
    done[node.name] = next;
    const links = workflow.connections[node.name];
    for (const link of (links && links.main[out]) || []) await run(nodes[link.node], next, done, response);
}

const server = http.createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const url = new URL(request.url, "http://n8n");
    const hook = workflow.nodes.find((node) => node.type.endsWith(".webhook") && node.parameters.httpMethod === request.method
        && url.pathname === `/webhook/${node.parameters.path}`);
    if (!hook) return response.writeHead(404).end();
    const json = { headers: request.headers, query: Object.fromEntries(url.searchParams) };
    // The raw body is kept, as the option rawBody of the node asks.
    const binary = hook.parameters.options.rawBody ? { data: Buffer.concat(pieces) } : {};
    await run(hook, { json, binary }, {}, response);
});
server.listen(0, "127.0.0.1", () => {
    env.CALLSPOOL_BASE = `http://127.0.0.1:${server.address().port}`;
    console.log(`listening on ${env.CALLSPOOL_BASE}/webhook/callspool`);
});
