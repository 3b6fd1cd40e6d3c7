import type { AnyCheck } from '../../src/check/contract.ts'
import { readSource } from '../house/sources.ts'
import type { Proof } from '../servers/proved.ts'

export const head = `# Services, and what they were proved with

Made by the tests with real servers: do not edit. After a change run \`UPDATE_DOCS=1 npm test -- --servers\`.

Each row is what those tests saw: the server and its version on Debian, whether an answer over IPv6 was seen, how TLS
was spoken, and which failures the server was brought to show. The words are those of \`check --json\`. Beside these,
every check has met scripted servers that are silent, slow, endless, broken or hostile.

| Service | Probe | Library | Proved with | IPv6 | TLS | Failures told apart |
|---|---|---|---|---|---|---|
`

export const foot = `
Library: *by hand* means over the connections, lines and datagrams of \`src/check\`. A library is loaded when a check first
needs it. TLS: *always*, *starttls* (the directive), or none.
`

/** What stands in for a server that no package brings; the page says so. */
const withoutServer: Readonly<Record<string, string>> = {
  oracle: 'a scripted listener and database only: there is no Oracle server to test with',
}

/** One line of the table; undefined for a check that was not asked. */
export function rowOf(
  check: AnyCheck,
  proofs: readonly Proof[],
  version: (name: string) => string,
): string | undefined {
  const own = proofs.filter((proof) => proof.check === check.name)
  const servers = own.map(({ server, debianPackage }) => `${server} ${version(debianPackage)}`.trim())
  const instead = withoutServer[check.name]
  if (own.length === 0 && instead === undefined) return undefined
  const cells = [
    `\`${check.name}\``,
    check.summary,
    librariesOf(check).join(', ') || 'by hand',
    own.length === 0 ? instead : servers.join(', '),
    own.some(({ ipv6 }) => ipv6) ? 'yes' : '',
    tlsOf(check, own),
    failuresOf(own),
  ]
  return `| ${cells.map((cell) => cell?.replaceAll('|', '\\|')).join(' | ')} |`
}

/** Its cells, the versions left out: they are of the machine where the page was made. */
export function cellsOf(row: string): string[] {
  const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
  return cells.slice(1, -1).map((cell, column) => (column === 3 ? cell.replaceAll(/ \d[\w.]*(?=,|$)/g, '') : cell))
}

function tlsOf({ fields }: AnyCheck, proofs: readonly Proof[]): string {
  if ('starttls' in fields) return proofs.some(({ starttls }) => starttls) ? 'starttls' : ''
  return 'tlsverify' in fields ? 'always' : ''
}

function failuresOf(proofs: readonly Proof[]): string {
  const verdicts = new Set(proofs.flatMap((proof) => [...proof.verdicts]))
  verdicts.delete('up')
  return [...verdicts]
    .map((verdict) => verdict.replace(/^down /, ''))
    .sort()
    .join(', ')
}

/** Shared by all checks, so nothing of one service: patterns and addresses. */
const common = new Set(['re2js', 'ipaddr.js'])

/** Packages that the check's files import, directly or through others. */
function librariesOf({ name }: AnyCheck): string[] {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const source = readSource(path)
    for (const each of source.packages) if (!common.has(each)) packages.add(each)
    for (const each of source.ownAtRun) visit(each)
  }
  visit(`checks/${name.replaceAll('_', '-')}.ts`)
  return [...packages].sort()
}
