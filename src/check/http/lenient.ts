import type { Socket } from 'node:net'
import { printable } from '../../lib/printable.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'
import { ByteQueue } from './queue.ts'
import type { HttpReply, HttpRequest } from './reply.ts'
import { userAgent } from './undici.ts'

const MOST_HEADER_BYTES = 65_536

/**
 * One exchange with a reader that takes what Perl's library takes and undici refuses: bare LF line ends, header lines
 * of any form, an interim 100 nobody asked for. It wants a status line and keeps its bounds.
 *
 * @throws ClosedError, Failure, or the system error of the connection
 */
export async function exchangeLeniently(socket: Socket, request: HttpRequest): Promise<HttpReply> {
  const { method, path, hostHeader } = request
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: ${hostHeader}\r\nUser-Agent: ${userAgent}\r\nConnection: close\r\n\r\n`,
    'latin1',
  )
  const queue = new ByteQueue(socket)
  const close = (): void => {
    socket.destroy()
  }
  try {
    for (;;) {
      const head = await readHead(queue)
      if (head.status >= 100 && head.status < 200 && head.status !== 101) continue
      const empty = method === 'HEAD' || head.status === 204 || head.status === 304 || head.status === 101
      return { ...head, body: empty ? nothing() : bodyOf(queue, head.fields), close }
    }
  } catch (error) {
    close()
    throw error
  }
}

interface Head {
  readonly status: number
  readonly statusText: string
  readonly location: string | undefined
  readonly fields: ReadonlyMap<string, string>
}

async function readHead(queue: ByteQueue): Promise<Head> {
  const left = { bytes: MOST_HEADER_BYTES }
  const line = await readLine(queue, left)
  const found = line === undefined ? null : /^HTTP\/\d+(?:\.\d+)?\s+(\d{3})(?:\s+(.*))?$/.exec(line)
  if (found === null) {
    if (line === undefined && queue.isEmpty) throw new ClosedError()
    const seen = line ?? queue.start(80)
    throw new Failure('protocol', `the reply has no HTTP status line: "${printable(seen, 80)}"`)
  }
  const fields = new Map<string, string>()
  for (;;) {
    const field = await readLine(queue, left)
    if (field === undefined) throw new ClosedError()
    if (field === '') break
    const colon = field.indexOf(':')
    const name = field.slice(0, Math.max(0, colon)).trim().toLowerCase()
    if (colon > 0 && !fields.has(name)) fields.set(name, field.slice(colon + 1).trim())
  }
  const statusText = `HTTP ${found[1]} ${found[2] ?? ''}`.trimEnd()
  return { status: Number(found[1]), statusText, location: fields.get('location'), fields }
}

/** A line without its end, CRLF or LF; undefined when the connection ends first. */
async function readLine(queue: ByteQueue, left: { bytes: number }): Promise<string | undefined> {
  for (;;) {
    const end = queue.indexOf(0x0a)
    if (end > left.bytes || (end < 0 && queue.length > left.bytes)) {
      throw new Failure('protocol', 'the reply has more headers than can be read')
    }
    if (end >= 0) {
      left.bytes -= end + 1
      return queue
        .take(end + 1)
        .toString('latin1')
        .replace(/\r?\n$/, '')
    }
    if (!(await queue.more())) return undefined
  }
}

async function* nothing(): AsyncGenerator<Buffer> {}

async function* bodyOf(queue: ByteQueue, fields: ReadonlyMap<string, string>): AsyncGenerator<Buffer> {
  if (/\bchunked\b/i.test(fields.get('transfer-encoding') ?? '')) {
    yield* chunks(queue)
    return
  }
  const length = /^\d+$/.exec(fields.get('content-length') ?? '')
  if (length !== null) {
    yield* exactly(queue, Number(length[0]))
    return
  }
  do if (!queue.isEmpty) yield queue.take(queue.length)
  while (await queue.more())
}

async function* exactly(queue: ByteQueue, length: number): AsyncGenerator<Buffer> {
  for (let left = length; left > 0; ) {
    if (queue.isEmpty && !(await queue.more())) throw new ClosedError()
    const piece = queue.take(Math.min(left, queue.length))
    left -= piece.length
    yield piece
  }
}

async function* chunks(queue: ByteQueue): AsyncGenerator<Buffer> {
  for (;;) {
    const line = await readLine(queue, { bytes: 4096 })
    if (line === undefined) throw new ClosedError()
    const size = /^\s*([0-9A-Fa-f]{1,12})\s*(?:;.*)?$/.exec(line)?.[1]
    if (size === undefined) throw new Failure('protocol', `bad chunk size: "${printable(line, 40)}"`)
    const length = Number.parseInt(size, 16)
    if (length === 0) return
    yield* exactly(queue, length)
    if ((await readLine(queue, { bytes: 16 })) === undefined) throw new ClosedError()
  }
}
