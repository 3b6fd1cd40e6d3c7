import { createServer, type Server } from 'node:http'

/** A small web server of the demo that can die and come back on the same address. */
export interface DemoServer {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

export function createDemoServer(name: string, address: string, port: number): DemoServer {
  let server: Server | undefined
  return {
    name,
    start: () =>
      new Promise((resolve, reject) => {
        const starting = createServer((_request, response) => response.end(`Still alive, says ${name}\n`))
        starting.once('error', (error) => reject(new Error(`the demo needs ${address}:${port}: ${error.message}`)))
        starting.listen(port, address, () => {
          server = starting
          resolve()
        })
      }),
    stop: () =>
      new Promise((resolve) => {
        if (server === undefined) return resolve()
        server.close(() => resolve())
        server.closeAllConnections()
        server = undefined
      }),
  }
}
