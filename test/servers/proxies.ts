import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type RunningServer, type Site, startServer } from './harness.ts'
import type { Program } from './needs.ts'

export const proxyPrograms: readonly Program[] = ['squid', 'tinyproxy']

export interface HttpProxy extends RunningServer {
  readonly port: number
}

/** On 127.0.0.1 and ::1; lets every loopback client through to everywhere. */
export async function startTinyproxy(): Promise<HttpProxy> {
  const started = await startServer({
    program: 'tinyproxy',
    ports: 1,
    prepare: ({ directory, ports: [port] }) =>
      writeFile(
        join(directory, 'tinyproxy.conf'),
        `Port ${port}\nListen 127.0.0.1\nListen ::1\nTimeout 30\nMaxClients 60\nConnectPort 1\n`,
      ),
    args: ({ directory }) => ['-d', '-c', join(directory, 'tinyproxy.conf')],
    isReady: answers,
  })
  return { ...started, port: started.ports[0] ?? 0 }
}

/** On 127.0.0.1 and ::1; refuses whoever asks for `forbidden.example.test`. */
export async function startSquid(): Promise<HttpProxy> {
  const started = await startServer({
    program: 'squid',
    ports: 1,
    prepare: ({ directory, ports: [port = 0] }) =>
      writeFile(join(directory, 'squid.conf'), squidConfig(directory, port)),
    args: ({ directory, ports: [port] }) => ['-N', '-f', join(directory, 'squid.conf'), '-n', `probe${port}`],
    isReady: answers,
  })
  return { ...started, port: started.ports[0] ?? 0 }
}

const squidConfig = (directory: string, port: number): string => `
http_port 127.0.0.1:${port}
http_port [::1]:${port}
pid_filename none
cache_log stdio:/dev/stderr
access_log none
cache_store_log none
coredump_dir ${directory}
cache deny all
cache_mem 8 MB
netdb_filename none
shutdown_lifetime 0 seconds
visible_hostname localhost
max_filedescriptors 1024
acl me src 127.0.0.1/32 ::1/128
acl forbidden dstdomain forbidden.example.test
http_access deny forbidden
http_access allow me
http_access deny all
`

/** A proxy answers a request that is none with a status line too. */
function answers({ ports: [port = 0] }: Site): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end('GET nowhere HTTP/1.0\r\n\r\n'))
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1').startsWith('HTTP/'))
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(false))
  })
}
