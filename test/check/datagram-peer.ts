import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'

/** A loopback server over UDP that does what a test wants. */
export interface DatagramPeer {
  readonly port: number
  /** Every datagram that came, as latin1. */
  readonly received: readonly string[]
  /** Ports of the clients, in the order of their first datagram. */
  readonly clients: readonly number[]
  /** A datagram nobody asked for, to a port of the same address. */
  send(text: string, port: number): void
  close(): void
}

/** `say` sends a datagram back to whoever asked; `nth` counts the datagrams of that client from 1. */
export type Answering = (datagram: Buffer, say: (text: Buffer | string) => void, nth: number) => void

export async function startDatagramPeer(answer: Answering, host = '127.0.0.1'): Promise<DatagramPeer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const received: string[] = []
  let closed = false
  const counts = new Map<number, number>()
  socket.on('message', (datagram: Buffer, from: RemoteInfo) => {
    received.push(datagram.toString('latin1'))
    const nth = (counts.get(from.port) ?? 0) + 1
    counts.set(from.port, nth)
    answer(datagram, (text) => void (closed || socket.send(text, from.port, from.address)), nth)
  })
  await bind(socket, host)
  return {
    port: socket.address().port,
    received,
    get clients() {
      return [...counts.keys()]
    },
    send: (text, port) => socket.send(text, port, host),
    close: () => {
      closed = true
      socket.close()
    },
  }
}

/** A port where nothing listens: one that was free a moment ago. */
export async function closedDatagramPort(host = '127.0.0.1'): Promise<number> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  await bind(socket, host)
  const { port } = socket.address()
  socket.close()
  return port
}

async function bind(socket: Socket, host: string): Promise<void> {
  socket.bind(0, host)
  await once(socket, 'listening')
}

/** Resolves when this process has no more UDP sockets than `most`; throws after a second. */
export async function datagramSocketsAtMost(most: number): Promise<void> {
  for (let turn = 0; openDatagramSockets() > most; turn++) {
    if (turn === 1000) throw new Error('a UDP socket was left open')
    await setTimeout(1)
  }
}

export function openDatagramSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length
}
