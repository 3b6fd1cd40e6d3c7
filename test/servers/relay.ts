import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Passes connections on to a port of loopback, from an address of its own choice. */
export interface Relay {
  readonly port: number
  close(): Promise<void>
}

/** A server that knows its clients by address sees another client behind it: all of 127.0.0.0/8 is ours to come from. */
export async function startRelay(port: number, localAddress: string): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port, localAddress })
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one)
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
