import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf } from '../lib/errors.ts'
import { printable } from '../lib/printable.ts'
import { findRoute, parseBody, type Question, type Reply, RequestError, type Route, replyOf } from './http.ts'

export interface ApiServerOptions {
  readonly routes: readonly Route[]
  /** A route threw: our own bug. */
  readonly onFault: (text: string) => void
  /** For headers and body together; who sends slower is cut off. 10 s when absent. */
  readonly requestWithinMs?: number
}

const longestBody = 64 * 1024
const usualRequestWithinMs = 10_000
const mostConnections = 64

/** HTTP with JSON over whatever the server listens on. What is malformed gets a 4xx and a sentence. */
export function createApiServer({ routes, onFault, ...options }: ApiServerOptions): Server {
  const { requestWithinMs = usualRequestWithinMs } = options
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response, { routes, onFault })
  }
  const server = createServer(
    {
      requestTimeout: requestWithinMs,
      headersTimeout: requestWithinMs,
      connectionsCheckingInterval: Math.min(1000, requestWithinMs),
      maxHeaderSize: 16 * 1024,
      // Node's own refusal has no sentence, and on a Unix socket the name says nothing.
      requireHostHeader: false,
    },
    serve,
  )
  // The same: an expectation that we do not know changes nothing of the request.
  server.on('checkExpectation', serve)
  server.on('connect', (_request, socket) => endWith(socket, '405 Method Not Allowed', 'this is no proxy'))
  server.maxConnections = mostConnections
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseMalformed(error, socket))
  return server
}

async function handle(request: IncomingMessage, response: ServerResponse, options: ApiServerOptions): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('the client is gone')))
  // A client that hangs up in the middle is no event for anybody.
  response.on('error', () => undefined)
  const reply = await answer(request, gone.signal, options)
  send(response, reply)
}

async function answer(
  request: IncomingMessage,
  signal: AbortSignal,
  { routes, onFault }: ApiServerOptions,
): Promise<Reply> {
  try {
    const { pathname, searchParams } = readTarget(request.url ?? '/')
    const route = findRoute(routes, request.method ?? 'GET', pathname)
    const body = request.method === 'POST' ? parseBody(await readBody(request)) : {}
    const question: Question = { query: new Map(searchParams), body, signal }
    return await route.answer(question)
  } catch (error) {
    if (error instanceof RequestError) return replyOf(error)
    onFault(error instanceof Error ? (error.stack ?? error.message) : messageOf(error))
    return { status: 500, body: { error: `internal error: ${printable(messageOf(error))}` } }
  }
}

function readTarget(target: string): URL {
  const base = 'http://ldirectord-ng'
  if (target.startsWith('/') && URL.canParse(`${base}${target}`)) return new URL(`${base}${target}`)
  throw new RequestError('the request line has no path')
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length
      if (length > longestBody) throw new RequestError(`the body is longer than ${longestBody} bytes`, { status: 413 })
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof RequestError) throw error
    throw new RequestError('the request ended in the middle of its body', { cause: error })
  }
  return Buffer.concat(parts).toString('utf8')
}

function send(response: ServerResponse, { status, body }: Reply): void {
  if (response.destroyed || response.headersSent) return
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(text)
}

/** What Node's parser refuses never reaches a route; it gets an answer all the same. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  endWith(socket, ...refusalOf(error.code))
}

function endWith(socket: Duplex, status: string, sentence: string): void {
  const text = `${JSON.stringify({ error: sentence })}\n`
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n` +
      `connection: close\r\n\r\n${text}`,
  )
}

function refusalOf(code: string | undefined): readonly [status: string, sentence: string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'the request took too long']
    case 'HPE_HEADER_OVERFLOW':
      return ['431 Request Header Fields Too Large', 'the headers are too long']
    default:
      return ['400 Bad Request', 'this is not an HTTP request']
  }
}
