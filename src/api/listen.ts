import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { codeOf, messageOf } from '../lib/errors.ts'
import { longestSocketPath } from './socket-path.ts'

export interface Listening {
  /** False when the socket file was removed or replaced: nobody reaches us any more. */
  isThere(): boolean
  /** Ends the server and removes the file if it is still ours. */
  close(): Promise<void>
}

/** Owner and group may steer the director; nobody else may even look. */
const mode = 0o660

/**
 * Listens on a Unix socket. A file that a daemon before us left behind is replaced; one where somebody answers is not.
 * Rejects with the system's error.
 */
export async function listenOn(server: Server, path: string, onFault: (text: string) => void): Promise<Listening> {
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw new Error(`the path is longer than ${longestSocketPath} bytes, which a Unix socket cannot have`)
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  if (isSocket(path) && !(await isAnswering(path))) rmSync(path, { force: true })
  await bind(server, path)
  // No descriptor left to accept with, say: it goes on when there is one again.
  server.on('error', (error) => onFault(messageOf(error)))
  chmodSync(path, mode)
  const own = lstatSync(path, { bigint: true })
  const isThere = (): boolean => {
    const now = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return now !== undefined && now.ino === own.ino && now.dev === own.dev
  }
  return {
    isThere,
    close: async () => {
      const wasThere = isThere()
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
      if (wasThere) rmSync(path, { force: true })
    },
  }
}

/** The file is never open to others, not even for the moment before chmod. */
async function bind(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const before = process.umask(0o177)
    try {
      server.once('error', reject)
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '')))
  })
}
