import { join } from 'node:path'

/** Where control sockets are: /run/ldirectord-ng, or LDIRECTORD_NG_SOCKET_DIR for tests and for accounts without a right to it. */
export function socketDirectoryOf(env: NodeJS.ProcessEnv = process.env): string {
  return env['LDIRECTORD_NG_SOCKET_DIR'] ?? '/run/ldirectord-ng'
}

export function socketPathOf(instance: string, directory: string = socketDirectoryOf()): string {
  return join(directory, `${instance}.sock`)
}

/** A Unix socket's address has 108 bytes with the closing zero (unix(7)). */
export const longestSocketPath = 107
