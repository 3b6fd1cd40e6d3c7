/** What a route gives back; the server turns it into HTTP. */
export interface Reply {
  readonly status: number
  /** Sent as JSON. */
  readonly body: unknown
}

export interface Question {
  /** Decoded, of `?name=value`; the last of a name counts. */
  readonly query: ReadonlyMap<string, string>
  /** The JSON object of a POST; empty when there was none. */
  readonly body: Readonly<Record<string, unknown>>
  /** Ends when the client is gone or the daemon ends. */
  readonly signal: AbortSignal
}

export interface Route {
  readonly method: 'GET' | 'POST'
  /** With its version: `/v1/status`. */
  readonly path: string
  /** One line for the list of routes at `/`. */
  readonly summary: string
  answer(question: Question): Promise<Reply> | Reply
}

export interface RequestErrorOptions extends ErrorOptions {
  /** 400 when absent. */
  readonly status?: number
  /** More fields of the answer. */
  readonly detail?: Readonly<Record<string, unknown>>
}

/** What is wrong with a request, as a sentence for the one who sent it. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number
  readonly detail: Readonly<Record<string, unknown>>

  constructor(message: string, options: RequestErrorOptions = {}) {
    super(message, options)
    this.status = options.status ?? 400
    this.detail = options.detail ?? {}
  }
}

export const ok = (body: unknown): Reply => ({ status: 200, body })

export function replyOf(error: RequestError): Reply {
  return { status: error.status, body: { error: error.message, ...error.detail } }
}

/** The route for a request line. Throws RequestError: 404 with the paths there are, 405 with the method that fits. */
export function findRoute(routes: readonly Route[], method: string, path: string): Route {
  const there = routes.filter((route) => route.path === path)
  const found = there.find((route) => route.method === method)
  if (found !== undefined) return found
  const [other] = there
  if (other !== undefined) throw new RequestError(`${path} takes ${other.method}`, { status: 405 })
  throw new RequestError('there is nothing at this path', {
    status: 404,
    detail: { paths: routes.map((route) => route.path) },
  })
}

/** The JSON object a client sent. Throws RequestError. */
export function parseBody(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new RequestError('the body is not JSON', { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new RequestError('the body must be a JSON object')
}

/** Fields of a body or query by name and kind; anything else in it is a mistake of the sender. */
export function readFields<const Kinds extends Readonly<Record<string, 'text' | 'number' | 'flag'>>>(
  body: Readonly<Record<string, unknown>>,
  kinds: Kinds,
): { readonly [Name in keyof Kinds]: FieldOf<Kinds[Name]> | undefined } {
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(kinds, name))
  if (unknown !== undefined) {
    throw new RequestError(`there is no field of that name; fields: ${Object.keys(kinds).join(', ') || 'none'}`)
  }
  const read = Object.entries(kinds).map(([name, kind]) => [name, readField(name, kind, body[name])])
  return Object.fromEntries(read)
}

type FieldOf<Kind> = Kind extends 'text' ? string : Kind extends 'number' ? number : boolean

const longestText = 1000

function readField(name: string, kind: string, value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  if (kind === 'text' && typeof value === 'string' && value.length <= longestText) return value
  if (kind === 'number' && typeof value === 'number' && Number.isFinite(value)) return value
  if (kind === 'flag' && typeof value === 'boolean') return value
  const wanted = { text: `a text of at most ${longestText} characters`, number: 'a number', flag: 'true or false' }
  throw new RequestError(`${name} must be ${wanted[kind as keyof typeof wanted]}`)
}
