#!/usr/bin/env python3
"""Mutants of src/rights, each built and tested alone: every one must be found by a test.

    tests/rights_alone/mutants.py [--list] [--only decide.rs] [--shard 0/2]

The same idea as cargo-mutants (which may be run too, see CONTRIBUTING.md), with nothing to install: one operator, word or
row of a table is changed at a time in a copy of the sources. A mutant that doesn't build counts as found. filter.rs, whose
text is SQL, is also held by the random companies of src/store/rights_tests, which are not run here.
"""
import argparse, os, re, shutil, subprocess, sys, tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FILES = ["decide.rs", "extent.rs", "pbx.rs", "filter.rs", "explain.rs", "subject.rs", "scope.rs", "crm.rs", "console.rs",
         "here.rs", "role.rs", "object.rs", "action.rs"]
CHANGES = [
    (r" == ", " != "), (r" != ", " == "), (r" && ", " || "), (r" \|\| ", " && "), (r" >= ", " < "), (r" >= ", " > "),
    (r" <= ", " > "), (r" <= ", " < "), (r" > ", " >= "), (r" < ", " <= "), (r"\.max\(", ".min("), (r"\.min\(", ".max("),
    (r"\.any\(", ".all("), (r"\.all\(", ".any("), (r"is_none\(\)", "is_some()"), (r"is_some\(\)", "is_none()"),
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\(!", "("), (r"&& !", "&& "), (r"\.or_else\(", ".and_then("),
    (r"Scope::Own\b", "Scope::Denied"), (r"Scope::OwnAndDepartment", "Scope::Own"), (r"Scope::Any", "Scope::OwnAndDepartment"),
]


def code_of(name):
    with open(os.path.join(ROOT, "src/rights", name)) as source:
        return source.read()


def mutants():
    for name in FILES:
        text = code_of(name)
        for number, line in enumerate(text.split("\n")):
            code = line.split("//")[0]
            if code.strip().startswith(("#", "use ", "pub use")) or not code.strip():
                continue
            for old, new in CHANGES:
                # Types are no operators.
                for found in re.finditer(old, code):
                    yield name, number, line[:found.start()] + new + line[found.end():]
            # A row of a table, a step of a chain, a statement: gone.
            if re.fullmatch(r"\s*(\(\w+, \w+\),|\w+\.extend\(.*\);|\w+\.push\(.*\);)", line):
                yield name, number, ""


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--list", action="store_true")
    asked.add_argument("--only", action="append")
    asked.add_argument("--shard", default="0/1")
    asked = asked.parse_args()
    part, parts = map(int, asked.shard.split("/"))
    chosen = [one for one in mutants() if not asked.only or one[0] in asked.only][part::parts]
    if asked.list:
        for name, number, line in chosen:
            print(f"{name}:{number + 1}: {line.strip()}")
        return 0
    folder = tempfile.mkdtemp(prefix="mutants-")
    for part in ["src/model", "src/rights", "tests/rights_alone"]:
        shutil.copytree(os.path.join(ROOT, part), os.path.join(folder, part))
    shutil.copy(os.path.join(ROOT, "Cargo.lock"), folder)
    with open(os.path.join(folder, "Cargo.toml"), "w") as workspace:
        workspace.write('[workspace]\nresolver = "3"\nmembers = ["tests/rights_alone"]\n'
                        '[profile.dev]\ndebug = false\nopt-level = 0\n')
    environment = dict(os.environ, CARGO_TARGET_DIR=os.path.join(folder, "target"), RUSTFLAGS="-A warnings",
                       RUST_BACKTRACE="0")

    def tested():
        try:
            done = subprocess.run(["cargo", "test", "-q", "--offline", "--lib", "rights::"], cwd=folder, env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        except subprocess.TimeoutExpired:
            return False, ""
        return done.returncode == 0, done.stdout.decode(errors="replace")

    well, said = tested()
    if not well:
        sys.exit("the tests fail without any mutant:\n" + said)
    survived = 0
    for done, (name, number, line) in enumerate(chosen, 1):
        path = os.path.join(folder, "src/rights", name)
        text = code_of(name)
        lines = text.split("\n")
        lines[number] = line
        with open(path, "w") as changed:
            changed.write("\n".join(lines))
        lives, _ = tested()
        with open(path, "w") as restored:
            restored.write(text)
        if lives:
            survived += 1
            print(f"SURVIVED {name}:{number + 1}: {line.strip() or '(removed)'}", flush=True)
        if done % 25 == 0:
            print(f"{done} of {len(chosen)}, {survived} survived", flush=True)
    print(f"{len(chosen)} mutants, {survived} survived")
    shutil.rmtree(folder)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
