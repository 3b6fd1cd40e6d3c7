// The real servers of the benchmark, one process in a namespace of its own: as cheap as Node can make them, and counting.
// Started by `startServers` with an IPC channel.
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Listen {
  readonly port: number
  /** Default: every IPv4 address. */
  readonly address?: string
  /** Accepts, and never says a word. */
  readonly silent?: boolean
}

type Order =
  | { readonly listen: Listen }
  | { readonly kill: Listen }
  /** Connections so far by the client's address. */
  | { readonly count: true }

export interface Servers {
  /** Gives the port, which is chosen when 0 was asked for. */
  listen(options: Listen): Promise<number>
  /** Closes the listening socket; who connects from now on is refused. Gives when, on the clock of `Date.now`. */
  kill(options: Listen): Promise<number>
  count(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/** What `receive=` looks for. */
export const page = 'Test Page'

/** In this network namespace, or in that of whoever calls. */
export function startServers(namespace?: string): Servers {
  const file = fileURLToPath(import.meta.url)
  const words = [process.execPath, file, 'serve']
  const [program = '', ...args] = namespace === undefined ? words : ['ip', 'netns', 'exec', namespace, ...words]
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let last: Promise<unknown> = Promise.resolve()
  const tell = (order: Order): Promise<unknown> => {
    last = last.then(() => answered(child, order))
    return last
  }
  return {
    listen: async (listen) => (await tell({ listen })) as number,
    kill: async (kill) => (await tell({ kill })) as number,
    count: async () => (await tell({ count: true })) as Record<string, number>,
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

function answered(child: ChildProcess, order: Order): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the servers have ended'))
    child.once('exit', ended)
    child.once('message', (answer) => {
      child.off('exit', ended)
      resolve(answer)
    })
    child.send(order)
  })
}

const servers = new Map<string, Server>()
const connections = new Map<string, number>()
const response = `HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`

const nameOf = ({ address = '0.0.0.0', port }: Listen): string => `${address}:${port}`

function accept(socket: Socket, silent: boolean): void {
  const client = socket.remoteAddress ?? ''
  connections.set(client, (connections.get(client) ?? 0) + 1)
  socket.on('error', () => socket.destroy())
  socket.once('data', () => silent || socket.end(response))
  if (silent) socket.resume()
}

function obey(order: Order): Promise<unknown> {
  return new Promise((resolve) => {
    if ('count' in order) return resolve(Object.fromEntries(connections))
    if ('kill' in order) {
      servers.get(nameOf(order.kill))?.close()
      return resolve(Date.now())
    }
    const { address = '0.0.0.0', port, silent = false } = order.listen
    const server = createServer((socket) => accept(socket, silent))
    servers.set(nameOf(order.listen), server)
    server.listen({ host: address, port, backlog: 1024 }, () => resolve((server.address() as AddressInfo).port))
  })
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', (order: Order) => void obey(order).then((answer) => process.send?.(answer)))
  process.once('disconnect', () => process.exit(0))
}
