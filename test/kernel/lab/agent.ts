// What runs inside a namespace: web servers that say their name, and a client that records what it gets.
// Started by host.ts with an IPC channel, which survives `ip netns exec`.
import { Agent, createServer, request, type Server } from 'node:http'
import type { Socket } from 'node:net'

export interface Serve {
  readonly port: number
  /** Default: every address, IPv4 and IPv6. */
  readonly address?: string
  /** The body of every answer. */
  readonly says: string
  readonly status?: number
}

export interface Ask {
  readonly url: string
  /** Source address of the client. */
  readonly from?: string
  readonly timeoutMs?: number
}

export type Answer = { readonly body: string } | { readonly error: string }

/** One request of the continuous client; times are those of the guest's clock, in milliseconds. */
export type Fetched = Answer & { readonly startedAt: number; readonly endedAt: number }

/** What the agent can be told, and what it gives back. */
export interface Orders {
  serve(options: Serve): Promise<void>
  /** Closes the listener and resets what is open: the server has died. */
  silence(options: { readonly port: number; readonly address?: string }): Promise<void>
  fetch(options: Ask & { readonly times: number }): Promise<Answer[]>
  /** One request on a connection that stays open; the same name uses the same connection. */
  hold(options: Ask & { readonly name: string }): Promise<Answer & { readonly reused: boolean }>
  /** Ends the connection of that name, as a browser does that closes. */
  release(options: { readonly name: string }): Promise<void>
  startLoad(options: Ask & { readonly everyMs: number }): Promise<void>
  /** Everything fetched since the start; `end` stops it. */
  load(options: { readonly end: boolean }): Promise<Fetched[]>
}

export interface Call {
  readonly id: number
  readonly order: keyof Orders
  readonly options: never
}

export type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string }

const servers = new Map<string, { server: Server; sockets: Set<Socket> }>()
const held = new Map<string, Agent>()
let fetched: Fetched[] = []
let loading: Promise<void> | undefined
let isLoading = false

const keyOf = ({ port, address = '' }: { port: number; address?: string }): string => `${address} ${port}`

function ask({ url, from, timeoutMs = 3000 }: Ask, agent?: Agent): Promise<Answer & { reused: boolean }> {
  return new Promise((resolve) => {
    const origin = from === undefined ? {} : { localAddress: from }
    const call = request(url, { agent: agent ?? false, timeout: timeoutMs, ...origin })
    const end = (answer: Answer): void => {
      clearTimeout(timer)
      resolve({ ...answer, reused: call.reusedSocket })
    }
    const timer = setTimeout(() => call.destroy(new Error('timeout')), timeoutMs)
    call.on('error', (error: NodeJS.ErrnoException) => end({ error: error.code ?? error.message }))
    call.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('error', (error: NodeJS.ErrnoException) => end({ error: error.code ?? error.message }))
      response.on('end', () => end(response.statusCode === 200 ? { body } : { error: `${response.statusCode}` }))
    })
    call.end()
  })
}

async function loadLoop({ everyMs, ...options }: Ask & { everyMs: number }): Promise<void> {
  while (isLoading) {
    const startedAt = Date.now()
    const { reused: _, ...answer } = await ask(options)
    fetched.push({ ...answer, startedAt, endedAt: Date.now() })
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

const orders: Orders = {
  serve: ({ port, address, says, status = 200 }) =>
    new Promise((resolve, reject) => {
      const sockets = new Set<Socket>()
      const server = createServer((_, response) => response.writeHead(status).end(says))
      server.on('connection', (socket: Socket) => {
        sockets.add(socket)
        socket.on('close', () => sockets.delete(socket))
      })
      server.once('error', reject)
      server.keepAliveTimeout = 120_000
      server.listen({ port, ...(address === undefined ? {} : { host: address }) }, () => {
        servers.set(keyOf({ port, ...(address === undefined ? {} : { address }) }), { server, sockets })
        resolve()
      })
    }),
  silence: (options) =>
    new Promise((resolve, reject) => {
      const found = servers.get(keyOf(options))
      if (found === undefined) return reject(new Error(`nothing listens on ${keyOf(options)}`))
      servers.delete(keyOf(options))
      found.server.close(() => resolve())
      for (const socket of found.sockets) socket.resetAndDestroy()
    }),
  fetch: async ({ times, ...options }) => {
    const answers: Answer[] = []
    for (let n = 0; n < times; n++) {
      const { reused: _, ...answer } = await ask(options)
      answers.push(answer)
    }
    return answers
  },
  hold: ({ name, ...options }) => {
    const agent = held.get(name) ?? new Agent({ keepAlive: true, maxSockets: 1 })
    held.set(name, agent)
    return ask(options, agent)
  },
  release: async ({ name }) => {
    held.get(name)?.destroy()
    held.delete(name)
  },
  startLoad: async (options) => {
    fetched = []
    isLoading = true
    loading = loadLoop(options)
  },
  load: async ({ end }) => {
    if (end) {
      isLoading = false
      await loading
    }
    return fetched
  },
}

process.on('message', ({ id, order, options }: Call) => {
  orders[order](options).then(
    (value) => process.send?.({ id, value } satisfies Reply),
    (error: unknown) => process.send?.({ id, error: String(error) } satisfies Reply),
  )
})
process.once('disconnect', () => process.exit(0))
