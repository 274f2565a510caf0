# Made from the command line's definition; see src/cli/manual.rs.
_callspool() {
  local path='' word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) path="$path$word " ;; esac
  done
  local words=''
  case $path in
    'version '*) words='--config --json --help' ;;
    'network-helper '*) words='--socket --file --patience --config --json --help' ;;
    'setup-code '*) words='--config --json --help' ;;
    'audit '*) words='--since --who --call --refused --csv --lines --most --config --json --help' ;;
    'rights revoke '*) words='--config --json --help' ;;
    'rights grant '*) words='--scope --department --until --why --config --json --help' ;;
    'rights list '*) words='--ended --config --json --help' ;;
    'rights explain '*) words='--as --action --call --config --json --help' ;;
    'rights show '*) words='--config --json --help' ;;
    'rights '*) words='show explain list grant revoke --config --json --help' ;;
    'token revoke '*) words='--config --json --help' ;;
    'token list '*) words='--config --json --help' ;;
    'token add '*) words='--may --until --config --json --help' ;;
    'token '*) words='add list revoke --config --json --help' ;;
    'user remove '*) words='--config --json --help' ;;
    'user list '*) words='--config --json --help' ;;
    'user code '*) words='--valid --config --json --help' ;;
    'user add '*) words='--generate --config --json --help' ;;
    'user '*) words='add code list remove --config --json --help' ;;
    'update postpone '*) words='--config --json --help' ;;
    'update rollback '*) words='--config --json --help' ;;
    'update confirm '*) words='--config --json --help' ;;
    'update apply '*) words='--allow-downgrade --config --json --help' ;;
    'update check '*) words='--config --json --help' ;;
    'update status '*) words='--config --json --help' ;;
    'update '*) words='status check apply confirm rollback postpone --config --json --help' ;;
    'reset '*) words='--yes --config --json --help' ;;
    'bundle '*) words='--config --json --help' ;;
    'logs '*) words='--level --component --most --follow --config --json --help' ;;
    'restore '*) words='--dry-run --yes --config --json --help' ;;
    'backup '*) words='--config --json --help' ;;
    'pin accept '*) words='--config --json --help' ;;
    'pin show '*) words='--config --json --help' ;;
    'pin '*) words='show accept --config --json --help' ;;
    'config reference '*) words='--config --json --help' ;;
    'config undo '*) words='--config --json --help' ;;
    'config unset '*) words='--config --json --help' ;;
    'config set '*) words='--config --json --help' ;;
    'config import '*) words='--dry-run --yes --passphrase-file --config --json --help' ;;
    'config export '*) words='--with-secrets --passphrase-file --config --json --help' ;;
    'config show '*) words='--origin --config --json --help' ;;
    'config check '*) words='--config --json --help' ;;
    'config '*) words='check show export import set unset undo reference --config --json --help' ;;
    'erase show '*) words='--config --json --help' ;;
    'erase list '*) words='--config --json --help' ;;
    'erase '*) words='list show --yes --why --config --json --help' ;;
    'links revoke '*) words='--call --target --config --json --help' ;;
    'links list '*) words='--call --most --config --json --help' ;;
    'links '*) words='list revoke --config --json --help' ;;
    'hold release '*) words='--why --config --json --help' ;;
    'hold list '*) words='--ended --config --json --help' ;;
    'hold add '*) words='--call --number --extension --until --why --config --json --help' ;;
    'hold '*) words='add list release --config --json --help' ;;
    'queue retry '*) words='--target --config --json --help' ;;
    'queue drop '*) words='--why --yes --config --json --help' ;;
    'queue list '*) words='--most --held --target --config --json --help' ;;
    'queue '*) words='list drop retry --config --json --help' ;;
    'calls '*) words='--most --number --name --extension --department --since --until --direction --outcome --state --recorded --before --config --json --help' ;;
    'why '*) words='--config --json --help' ;;
    'doctor '*) words='--only --offline --list --markdown --config --json --help' ;;
    'status '*) words='--watch --config --json --help' ;;
    'run '*) words='--config --json --help' ;;
    *) words='run status doctor why calls queue hold links erase config pin backup restore logs bundle reset update user token rights audit setup-code network-helper version --config --json --help' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _callspool callspool
