import type { Socket } from 'node:net'
import { exchangeDatagrams } from '../datagram.ts'
import { ClosedError, dial, type Endpoint } from '../dial.ts'
import { Failure } from '../failure.ts'
import { type Reply, readReply } from './message.ts'

/** A query on its way, and the time it has. */
export interface DnsExchange {
  readonly query: Buffer
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** Over UDP: what is not the reply to this query is passed over, as anybody could have sent it. */
export function exchangeOverUdp(to: Endpoint, { query, signal, timeoutMs }: DnsExchange): Promise<Reply> {
  let strangers = 0
  return exchangeDatagrams(to, {
    signal,
    timeoutMs,
    message: () => query,
    take: (datagram) => {
      const reply = readReply(datagram, query)
      if (reply === undefined) strangers++
      return reply
    },
    lastWord: () => {
      if (strangers > 0) throw new Failure('protocol', `${strangers} datagrams, none of them the reply to our question`)
      return undefined
    },
  })
}

/** Over TCP a length of two bytes stands in front of each message (RFC 1035 section 4.2.2). */
export async function exchangeOverTcp(to: Endpoint, { query, signal }: DnsExchange): Promise<Reply> {
  const socket = await dial(to, signal)
  try {
    socket.write(Buffer.concat([lengthOf(query), query]))
    const reply = readReply(await readMessage(socket, signal), query)
    if (reply === undefined) throw new Failure('protocol', 'the reply is not to our question')
    return reply
  } finally {
    socket.destroy()
  }
}

async function readMessage(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length < 2) continue
    const bytes = Buffer.concat(chunks.splice(0), length)
    chunks.push(bytes)
    const end = 2 + bytes.readUInt16BE(0)
    if (length >= end) return bytes.subarray(2, end)
  }
  signal.throwIfAborted()
  throw new ClosedError()
}

function lengthOf(message: Buffer): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(message.length)
  return bytes
}
