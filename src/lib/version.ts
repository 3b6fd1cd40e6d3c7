import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** This program's version, as its package.json says; `0` when that file was not shipped. */
export const version: string = readVersion(here)

/**
 * A file that is shipped with the program, by its place below the folder of our package.json: how deep this module
 * lies differs between the source, the build and the bundle of the Debian package.
 */
export const shippedFile = (name: string): string => join(packageFolder(here) ?? here, name)

/** What `-v` prints. */
export const versionText = `ldirectord-ng ${version} (Linux Director)
Watches real servers and keeps the kernel's IPVS table right, from ldirectord.cf.
Licence MIT: free to use, change and share, without any warranty.
`

/** What the first package.json of this project upwards from `folder` says. */
export function readVersion(folder: string): string {
  const top = packageFolder(folder)
  return (top === undefined ? undefined : versionIn(join(top, 'package.json'))) ?? '0'
}

function packageFolder(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (versionIn(join(at, 'package.json')) !== undefined) return at
    if (dirname(at) === at) return undefined
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
