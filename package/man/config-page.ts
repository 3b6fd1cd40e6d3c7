import { checks } from '../../checks/index.ts'
import type { Check } from '../../src/check/contract.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { type ListedDirective, listDirectives } from '../../src/config/directives/list.ts'
import { bold, heading, item, page, paragraph, prose, section, verbatim } from './roff.ts'

const example = `checktimeout = 5
autoreload = yes

virtual = 192.0.2.10:80
    real = 192.0.2.21:80 gate
    real = 192.0.2.22:80 gate
    service = http
    request = "health"
    receive = "OK"
`

const scopes: readonly (readonly [title: string, ListedDirective['scope'], about: string])[] = [
  ['DIRECTIVES OF THE WHOLE FILE', 'global', 'At the beginning of a line.'],
  [
    'DIRECTIVES OF BOTH',
    'both',
    'Given once for the whole file, and again in the section of a virtual service that differs.',
  ],
  ['DIRECTIVES OF A VIRTUAL SERVICE', 'virtual', 'Indented under their `virtual` line.'],
]

/** ldirectord.cf(5): made from the declarations of the directives and of the checks, as docs/configuration.md is. */
export function configPage({ version, date }: { version: string; date: string }): string {
  const all = listDirectives(makeRegistry(checks))
  return page(
    heading({ title: 'LDIRECTORD.CF', section: 5, version, date }),
    section('NAME', 'ldirectord.cf \\- configuration of the Linux Director'),
    section('DESCRIPTION', ...grammar, verbatim(example)),
    ...scopes.map(([title, scope, about]) => {
      const items = all.filter((directive) => directive.scope === scope).map(directiveItem)
      return section(title, prose(about), ...items)
    }),
    section('CHECKS', prose('What `service` and `checktype` may say.'), ...checks.map(checkItem)),
    section('FILES', item('\\fI/etc/ha.d/ldirectord.cf\\fR', 'The configuration when none is named.'), sample),
    section('SEE ALSO', '.BR ldirectord\\-ng (8),\n.BR ipvsadm (8)'),
  )
}

const grammar = [
  prose(
    'Directives of the whole file begin in the first column. A virtual service is a `virtual` line and, under it,\nits own directives, indented by four blanks or a TAB; an empty line ends it. A directive is `name = value`.',
  ),
  paragraph('A line that begins with # is a comment. `ldirectord-ng validate` tells every fault of a file at once.'),
]

const sample = item(
  '\\fI/usr/share/doc/ldirectord\\-ng/examples/ldirectord.cf\\fR',
  prose('An example for every kind of service.'),
)

function directiveItem({ name, doc, fallback, actedOn }: ListedDirective): string {
  const standard = fallback === '' ? '' : `Default: \`${fallback}\``
  return item(
    bold(name),
    prose(doc),
    prose(standard),
    actedOn ? '' : 'Read and checked, without effect in this version.',
  )
}

function checkItem({ name, kind, summary, defaultForPorts: ports, timeout }: Check): string {
  const chosen = kind === 'negotiate' ? `service = ${name}` : `checktype = ${name}`
  const standard = ports.length === 0 ? '' : `Default for the ports ${ports.join(', ')}.`
  return item(bold(chosen), prose(summary), prose(`Bounded by \`${timeout}\`. ${standard}`.trimEnd()))
}
