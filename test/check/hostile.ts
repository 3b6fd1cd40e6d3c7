import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

/** A loopback server that misbehaves, and what became of it. */
export interface Peer {
  readonly address: string
  readonly port: number
  /** Connections accepted so far. */
  accepted(): number
  /** Connections open at this moment, as the server sees them. */
  open(): number
  /** Bytes handed to the kernel, over all connections. */
  bytesSent(): number
  /** What the clients sent, as latin1, connection after connection. */
  received(): readonly string[]
  /** Resolves when every connection that was accepted has ended; a test's own time-out is the limit. */
  untilEmpty(): Promise<void>
  close(): Promise<void>
}

export type Behaviour = (socket: Socket) => void

/** Serves one behaviour on a free port. `received` is kept only while something reads, so not for `neverReads`. */
export async function startPeer(behave: Behaviour, host = '127.0.0.1'): Promise<Peer> {
  const sockets = new Set<Socket>()
  const received: string[] = []
  let accepted = 0
  let sent = 0
  let emptied: (() => void)[] = []
  const server = createServer({ pauseOnConnect: behave === neverReads }, (socket) => {
    const index = accepted++
    received[index] = ''
    sockets.add(socket)
    socket.on('error', () => undefined)
    if (behave !== neverReads) socket.on('data', (chunk) => (received[index] += chunk.toString('latin1')))
    socket.on('close', () => {
      sent += socket.bytesWritten
      sockets.delete(socket)
      if (sockets.size > 0) return
      for (const wake of emptied) wake()
      emptied = []
    })
    behave(socket)
  })
  const port = await listen(server, host)
  return {
    address: host,
    port,
    accepted: () => accepted,
    open: () => sockets.size,
    bytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, sent),
    received: () => received,
    untilEmpty: async () => {
      if (sockets.size > 0) await new Promise<void>((resolve) => emptied.push(resolve))
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server, host: string): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Accepts, reads, says nothing. */
export const silence: Behaviour = () => undefined

/** Accepts, never reads a byte, says nothing. It does not notice its clients leaving: `close` ends them. */
export const neverReads: Behaviour = () => undefined

/** Says `text` at once and then nothing more; the connection stays open. */
export const says =
  (text: string | Buffer): Behaviour =>
  (socket) => {
    socket.write(text)
  }

/** Waits for the first bytes, says `text`, then nothing more. */
export const answers =
  (text: string | Buffer): Behaviour =>
  (socket) => {
    socket.once('data', () => socket.write(text))
  }

/** Waits for the first bytes, says `text` and closes in good order. */
export const answersAndCloses =
  (text: string | Buffer): Behaviour =>
  (socket) => {
    socket.once('data', () => socket.end(text))
  }

/** One byte of `text` each `everyMs`, over and over when it is used up. */
export const drip =
  (text: string, everyMs = 1000): Behaviour =>
  (socket) => {
    let at = 0
    const timer = setInterval(() => socket.write(text.charAt(at++ % text.length)), everyMs)
    socket.on('close', () => clearInterval(timer))
  }

/** `head` once, then `piece` for ever, as fast as the client takes it. */
export const endless =
  (head: string, piece: string): Behaviour =>
  (socket) => {
    const block = Buffer.from(piece.repeat(Math.ceil(16_384 / piece.length)), 'latin1')
    const pump = (): void => {
      while (!socket.destroyed && socket.write(block));
    }
    socket.on('drain', pump)
    socket.once('data', () => {
      socket.write(head)
      pump()
    })
  }

export const endlessBody: Behaviour = endless('HTTP/1.1 200 OK\r\nServer: peer\r\n\r\n', 'lorem ipsum dolor\n')
export const endlessHeaders: Behaviour = endless('HTTP/1.1 200 OK\r\n', 'X-More: and more\r\n')
/** One header line that has no end. */
export const endlessLine: Behaviour = endless('', 'x')

/** 4 KiB of bytes that are no protocol, the same ones every time, then an orderly close. */
export const garbage: Behaviour = (socket) => {
  socket.end(noise(4096))
}

/** A TLS record header that promises a ServerHello, followed by noise; the connection stays open. */
export const tlsGarbage: Behaviour = answers(Buffer.concat([Buffer.from([0x16, 3, 3, 0x10, 0]), noise(4096)]))

/** RST as soon as the client has said something. */
export const resets: Behaviour = (socket) => {
  socket.once('data', () => socket.resetAndDestroy())
}

/** RST at once. */
export const resetsAtOnce: Behaviour = (socket) => {
  socket.resetAndDestroy()
}

/** FIN at once. */
export const closesAtOnce: Behaviour = (socket) => {
  socket.end()
}

/** Deterministic noise: a linear congruential generator (Numerical Recipes), high byte. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 0x1234
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/**
 * An address and port whose SYN is never answered: a listener that accepts nothing, its queue (backlog 1, which Linux
 * lets hold two) filled. Whoever else connects hangs in connect until his own deadline.
 */
export async function startUnanswered(host = '127.0.0.1'): Promise<Pick<Peer, 'address' | 'port' | 'close'>> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const server = require('node:net').createServer()
     server.listen({ port: 0, host: workerData, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) // its loop never turns again, so nothing is accepted
     })`,
    { eval: true, workerData: host },
  )
  const [port] = (await once(worker, 'message')) as [number]
  const fillers: Socket[] = []
  for (let i = 0; i < 2; i++) {
    const filler = connect({ host, port })
    fillers.push(filler)
    await once(filler, 'connect')
    filler.on('error', () => undefined)
  }
  return {
    address: host,
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy()
      await worker.terminate()
    },
  }
}

/** A port that refuses: one that was free a moment ago. */
export async function refusedPort(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  const port = await listen(server, host)
  server.close()
  await once(server, 'close')
  return port
}
