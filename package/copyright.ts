import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Shipped {
  readonly name: string
  readonly version: string
  /** SPDX expression of its package.json. */
  readonly licence: string
  /** Its licence file; empty when it has none. */
  readonly text: string
}

/** The copyright file: our licence, and that of every npm package whose code is in the package, whole. */
export function copyright(checkout: string, folders: readonly string[]): string {
  const shipped = folders.map((folder) => readShipped(checkout, folder)).sort(byName)
  const own = readFileSync(join(checkout, 'LICENSE'), 'utf8')
  return [
    head(own),
    'The program contains the following packages of npm, unchanged, each under its own licence:\n',
    ...shipped.map(({ name, version, licence }) => `  ${name} ${version} (${licence})`),
    '',
    ...shipped.map(
      ({ name, text, licence }) => `${'-'.repeat(72)}\n${name}\n\n${text === '' ? `Licence: ${licence}` : text}\n`,
    ),
  ].join('\n')
}

const head = (licence: string): string => `ldirectord-ng

Upstream and packaging come from the same sources.

${licence.trim()}

${'-'.repeat(72)}
`

function byName(a: Shipped, b: Shipped): number {
  return a.name < b.name ? -1 : Number(a.name > b.name)
}

function readShipped(checkout: string, folder: string): Shipped {
  const at = join(checkout, folder)
  const {
    name,
    version,
    license = 'unknown',
  } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
  }
  const file = readdirSync(at).find((entry) => /^licen[cs]e([.-].*)?$/i.test(entry))
  const text = file === undefined ? '' : readFileSync(join(at, file), 'utf8').replaceAll('\r\n', '\n').trim()
  return { name, version, licence: license, text: license === 'Apache-2.0' ? apacheNotice : text }
}

/** Debian has this one in a place of its own and wants it named, not repeated. */
const apacheNotice = `Licensed under the Apache License, Version 2.0. On Debian systems its full text is in
/usr/share/common-licenses/Apache-2.0.`
