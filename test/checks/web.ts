import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { AnyCheck } from '../../src/check/contract.ts'
import { makeRequest } from '../../src/check/fields.ts'
import { makeProbe } from '../../src/check/probe.ts'
import { compileReceive, isFault, type ReceivePattern } from '../../src/check/receive/receive.ts'
import { runProbe } from '../../src/check/run.ts'
import { plainTlsSettings, type TlsSettings } from '../../src/check/tls-fields.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { CheckResult } from '../../src/model/verdict.ts'

/** What a test says of a web check; everything has the directive's default. */
export interface WebAsk {
  readonly check: AnyCheck
  readonly port: number
  readonly address?: string
  readonly virtualhost?: string
  readonly httpmethod?: 'GET' | 'HEAD'
  readonly request?: string
  readonly perReal?: boolean
  readonly receive?: string
  readonly tls?: Partial<TlsSettings>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly virtualAddresses?: readonly string[]
}

export interface WebAnswer {
  readonly result: CheckResult
  readonly warnings: readonly string[]
  readonly steps: readonly string[]
  readonly durationMs: number
}

/** One run of a web check as the daemon runs it. */
export async function askWeb(question: WebAsk): Promise<WebAnswer> {
  const { check, port, address = '127.0.0.1', timeoutMs = 3000, virtualAddresses = [] } = question
  const options = {
    ...plainTlsSettings,
    ...question.tls,
    virtualhost: question.virtualhost,
    httpmethod: question.httpmethod ?? 'GET',
    request: makeRequest(question.request ?? '/', question.perReal ?? false),
    receive: question.receive === undefined ? undefined : patternOf(question.receive),
  }
  const target = { address, family: address.includes(':') ? 6 : 4, port, transport: 'tcp' } as const
  const warnings: string[] = []
  const { result, steps, durationMs } = await runProbe(makeProbe({ check, target, options, timeoutMs }), {
    clock: systemClock,
    signal: question.signal,
    isVirtualAddress: (a) => virtualAddresses.includes(a),
    warn: (text) => warnings.push(text),
  })
  return { result, warnings, steps: steps.map(({ note }) => note), durationMs }
}

export function patternOf(source: string): ReceivePattern {
  const compiled = compileReceive(source)
  if (isFault(compiled)) throw new Error(compiled.message)
  return compiled
}

/** `up`, `down timeout`, `unknown cancelled`. */
export function verdictOf({ result }: WebAnswer): string {
  return result.verdict === 'up' ? 'up' : `${result.verdict} ${result.reason}`
}

/** A web server by hand: it answers each request with the text that `answer` gives, and closes. */
export interface Web {
  readonly port: number
  /** Heads of the requests as they came. */
  readonly requests: string[]
  /** Server names of the TLS handshakes, '' for none. */
  readonly serverNames: string[]
  close(): Promise<void>
}

interface WebParts {
  readonly host?: string
  readonly port?: number
  readonly tls?: TlsOptions
  /** Leaves the connection open after its reply. */
  readonly keepOpen?: boolean
}

export async function startWeb(answer: (path: string) => string, parts: WebParts = {}): Promise<Web> {
  const requests: string[] = []
  const serverNames: string[] = []
  const sockets = new Set<Socket>()
  const serve = (socket: Socket): void => {
    let head = ''
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1')
      if (!head.endsWith('\r\n\r\n')) return
      requests.push(head)
      socket.write(answer(head.split(' ')[1] ?? ''), 'latin1')
      if (parts.keepOpen !== true) socket.end()
    })
  }
  const server = parts.tls === undefined ? createServer(serve) : tlsServer(parts.tls, { serve, serverNames })
  const port = await listen(server, parts)
  return {
    port,
    requests,
    serverNames,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function tlsServer(options: TlsOptions, to: { serve: (socket: Socket) => void; serverNames: string[] }): Server {
  const server = createTlsServer(options, (socket) => {
    to.serverNames.push(typeof socket.servername === 'string' ? socket.servername : '')
    to.serve(socket)
  })
  server.on('tlsClientError', () => undefined)
  return server
}

async function listen(server: Server, { port = 0, host = '127.0.0.1' }: WebParts): Promise<number> {
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** A complete reply. */
export function page(body: string, status = '200 OK', fields = ''): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
}

export function redirect(location: string, status = '302 Found'): string {
  return page('', status, `Location: ${location}\r\n`)
}

/** A self-signed certificate, made by the openssl program. */
export function makeCertificate(name = 'www.example.test'): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'ldirectord-ng-cert-'))
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    const files = ['-nodes', '-keyout', key, '-out', cert]
    execFileSync('openssl', ['req', '-x509', ...curve, ...files, '-days', '2', '-subj', `/CN=${name}`], {
      stdio: 'pipe',
    })
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Handles of sockets and children that are open in this process. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|TLSWrap|PipeWrap|ProcessWrap/.test(name))
    .length
}

/** A destroyed handle is gone after the close phase of the loop, which comes after the first of these. */
export async function handlesClosed(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
