import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** This program's version, as its package.json says; `0` when that file was not shipped. */
export const version: string = readVersion(dirname(fileURLToPath(import.meta.url)))

/** What `-v` prints. */
export const versionText = `ldirectord-ng ${version} (Linux Director)
Watches real servers and keeps the kernel's IPVS table right, from ldirectord.cf.
Licence MIT: free to use, change and share, without any warranty.
`

/** The first package.json of this project upwards from `folder`: the depth differs between source and build. */
export function readVersion(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const found = versionIn(join(at, 'package.json'))
    if (found !== undefined) return found
    if (dirname(at) === at) return '0'
  }
}

function versionIn(file: string): string | undefined {
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof data !== 'object' || data === null) return undefined
    const { name, version: found } = data as { name?: unknown; version?: unknown }
    return name === 'ldirectord-ng' && typeof found === 'string' ? found : undefined
  } catch {
    return undefined
  }
}
