import { join } from 'node:path'

/** Where control sockets are: /run/ldirectord-ng; below LDIRECTORD_NG_RUN_DIR where pid files are there too. */
export function socketDirectoryOf(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['LDIRECTORD_NG_RUN_DIR'] ?? '/run', 'ldirectord-ng')
}

export function socketPathOf(instance: string, directory: string = socketDirectoryOf()): string {
  return join(directory, `${instance}.sock`)
}

/** A Unix socket's address has 108 bytes with the closing zero (unix(7)). */
export const longestSocketPath = 107
