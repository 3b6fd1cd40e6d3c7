import { type FileHandle, open } from 'node:fs/promises'
import { codeOf, messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Connection, ConnectionList, ConnectionQuery } from '../../table/details.ts'
import { TableError } from '../../table/operation.ts'
import { refusalOf } from '../../table/refusal.ts'
import { parseConnection } from './connection-line.ts'

export const connectionsFile = '/proc/net/ip_vs_conn'

/** A busy director has millions of connections; of one question no more lines than these are looked at. */
const maxLines = 1_000_000
const chunkBytes = 256 * 1024

/** The kernel's list, piece by piece: it may be far longer than what is wanted of it. */
export async function readConnections(
  file: string,
  { limit, accepts = () => true }: ConnectionQuery,
  signal: AbortSignal,
): Promise<ConnectionList> {
  const connections: Connection[] = []
  let seen = 0
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw asTableError(error)
  })
  try {
    for await (const line of linesOf(handle, signal)) {
      seen += 1
      if (seen > maxLines) return { connections, isCut: true }
      const connection = parseConnection(line)
      if (connection === undefined || !accepts(connection)) continue
      if (connections.length >= limit) return { connections, isCut: true }
      connections.push(connection)
    }
    return { connections, isCut: false }
  } catch (error) {
    throw asTableError(error)
  } finally {
    await handle.close()
  }
}

async function* linesOf(handle: FileHandle, signal: AbortSignal): AsyncGenerator<string> {
  const buffer = Buffer.alloc(chunkBytes)
  let rest = ''
  for (;;) {
    if (signal.aborted) throw cancelled(signal)
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, null)
    if (bytesRead === 0) break
    const lines = `${rest}${buffer.toString('latin1', 0, bytesRead)}`.split('\n')
    // The kernel's lines are short: a piece without an end is none of them.
    rest = (lines.pop() ?? '').slice(0, chunkBytes)
    yield* lines
  }
  if (rest !== '') yield rest
}

function cancelled(signal: AbortSignal): TableError {
  return new TableError('ECANCELED', 'cancelled (ECANCELED)', { cause: signal.reason })
}

function asTableError(error: unknown): TableError {
  if (error instanceof TableError) return error
  const code = codeOf(error) ?? 'EIO'
  if (code === 'ENOENT') return refusalOf('lookup', code, { cause: error })
  const text = `the connections cannot be read: ${printable(messageOf(error), 200)}`
  return new TableError(code, text, { cause: error })
}
