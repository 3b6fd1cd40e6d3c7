import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { checks } from '../../checks/index.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { type ListedDirective, listDirectives } from '../../src/config/directives/list.ts'

const page = 'docs/configuration.md'

const head = `# Directives of ldirectord.cf

Made from the declarations in the source: do not edit. After a change of a directive run
\`UPDATE_DOCS=1 npm test -- --grep configuration.md\`.

The grammar is Perl ldirectord's: directives of the whole file start at column 0, those of a virtual service are indented
by four blanks or a TAB under their \`virtual =\` line, and a directive is \`name = value\`. An annotated example is
[etc/ldirectord.cf](../etc/ldirectord.cf). A directive of both scopes is given once for all and again where a virtual
service differs.
`

function tableOf(title: string, directives: readonly ListedDirective[]): string {
  const rows = directives.map(({ name, doc, fallback, actedOn }) => {
    const text = (actedOn ? doc : `*Not yet.* ${doc}`).replaceAll('|', '\\|')
    return `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback.replaceAll('|', '\\|')}\``} | ${text} |`
  })
  return [`## ${title}`, '', '| Directive | Default | Meaning |', '|---|---|---|', ...rows, ''].join('\n')
}

function manual(): string {
  const all = listDirectives(makeRegistry(checks))
  const of = (scope: ListedDirective['scope']): ListedDirective[] => all.filter((d) => d.scope === scope)
  const rows = checks.map(({ name, kind, summary, defaultForPorts, timeout }) => {
    const chosen = kind === 'negotiate' ? `\`service = ${name}\`` : `\`checktype = ${name}\``
    return `| ${chosen} | ${summary.replaceAll('|', '\\|')} | ${defaultForPorts.join(', ')} | ${timeout} |`
  })
  return [
    head,
    tableOf('Whole file', of('global')),
    tableOf('Whole file, or one virtual service', of('both')),
    tableOf('One virtual service', of('virtual')),
    '## Checks\n',
    '| Chosen by | What it does | Default for ports | Bounded by |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

describe('docs/configuration.md', () => {
  it('says what the declarations say', () => {
    const text = manual()
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, text)
    assert.equal(readFileSync(page, 'utf8'), text)
  })
})
