import { processFlags, processVerbs } from '../src/cli/arguments.ts'
import { listVerbs } from '../src/cli/verb-arguments.ts'

/** Completion for bash: verbs, their options and the values of these, and the configurations of /etc/ha.d. */
export function completion(): string {
  const verbs = listVerbs()
  const options = verbs.map(({ name, options }) => {
    const words = options.flatMap(({ form }) => form.match(/--?[a-z][a-z-]*/g) ?? [])
    return `        ${name}) options='${[...words, '--help'].join(' ')}' ;;`
  })
  const flags = Object.entries(processFlags).map(([verb, flag]) => `        ${verb}) options='${flag}' ;;`)
  const values = verbs.flatMap(({ name, options }) =>
    options
      .filter(({ values }) => values.length > 0)
      .map(({ form, values }) => `        ${name}:${form.split(/[ ,]/)[0]}) values='${values.join(' ')}' ;;`),
  )
  return template
    .replace('@COMMANDS@', () => processVerbs.join(' '))
    .replace('@VERBS@', () => verbs.map(({ name }) => name).join(' '))
    .replace('@OPTIONS@', () => [...flags, ...options].join('\n'))
    .replace('@VALUES@', () => values.join('\n'))
}

const template = `# bash completion for ldirectord-ng
_ldirectord_ng() {
    local commands='@COMMANDS@'
    local verbs='@VERBS@'
    local current=\${COMP_WORDS[COMP_CWORD]} verb='' options='' values='' word file
    local configs=''
    COMPREPLY=()
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case " $commands $verbs " in *" $word "*) verb=\${verb:-$word} ;; esac
    done
    case $verb in
@OPTIONS@
    esac
    case $verb:\${COMP_WORDS[COMP_CWORD-1]} in
@VALUES@
    esac
    if [[ -n $values ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$current"))
        return
    fi
    if [[ $current == -* ]]; then
        [[ -n $verb ]] || options='-d -h -v --debug --help --version'
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    fi
    for file in /etc/ha.d/*.cf /etc/ha.d/conf/*.cf; do
        [[ ! -f $file ]] || configs+=" \${file##*/}"
    done
    [[ -n $verb ]] || configs+=" $commands $verbs"
    COMPREPLY=($(compgen -W "$configs" -- "$current"))
    [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _ldirectord_ng ldirectord-ng
`
