import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { maintainer } from './control.ts'
import { wrap } from './wrap.ts'

/** The newest block of CHANGELOG.md in Debian's form: one entry, for the version that is built. */
export function debianChangelog(checkout: string, { version, at }: { version: string; at: number }): string {
  const [, newest = ''] = readFileSync(join(checkout, 'CHANGELOG.md'), 'utf8').split(/^## .*$/m)
  const points = newest
    .split(/^- /m)
    .slice(1)
    .map((point) => point.replace(/^#.*$/gm, '').replace(/\s+/g, ' ').trim())
  const date = new Date(at * 1000).toUTCString().replace('GMT', '+0000')
  const lines = points.map((point) => `  * ${wrap(point, 74).join('\n    ')}`)
  return `ldirectord-ng (${version}) unstable; urgency=medium\n\n${lines.join('\n')}\n\n -- ${maintainer()}  ${date}\n`
}
