import { statSync } from 'node:fs'
import { resolve } from 'node:path'

const FOLDERS = ['/etc/ha.d/', '/etc/ha.d/conf/']
export const DEFAULT_CONFIG = 'ldirectord.cf'

/**
 * The configuration file a name stands for, as an absolute path, or undefined when there is none. The first regular
 * file wins: the name glued to each standard folder (an absolute one too), then the name as it is
 * (behaviour reference 1.2). Absolute, because a daemon that changes its directory must find it again (defect D20).
 */
export function findConfig(name: string = DEFAULT_CONFIG, exists: (path: string) => boolean = isFile) {
  const candidates = [...FOLDERS.map((folder) => folder + name), name]
  const found = candidates.find((candidate) => exists(candidate))
  return found === undefined ? undefined : resolve(found)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
