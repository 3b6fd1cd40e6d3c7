import type { Secret } from '../../lib/secret.ts'
import { Failure } from '../failure.ts'
import { type Hidden, type Lines, quoted } from '../lines.ts'

/** A reply of RFC 959: three digits and a text. */
export interface Reply {
  readonly code: number
  /** Its last line, printable, without what it repeats of a password. */
  readonly text: string
}

/** Reads one reply; those of several lines begin with `123-` and end with a line that begins with `123 `. */
export async function readReply(lines: Lines, hidden: Hidden = []): Promise<Reply> {
  const first = await lines.readLine()
  const digits = /^([1-5]\d\d)(?:$|[ -])/.exec(first)?.[1]
  if (digits === undefined) throw new Failure('protocol', `the answer is not FTP: "${quoted(first, hidden)}"`)
  let line = first
  // the lines between may begin with anything
  if (first.charAt(3) === '-')
    do line = await lines.readLine()
    while (!line.startsWith(`${digits} `) && line !== digits)
  return { code: Number(digits), text: quoted(line, hidden) }
}

/** Says one command and reads the reply. */
export async function command(lines: Lines, text: string, hidden: Hidden = []): Promise<Reply> {
  lines.write(text)
  return await readReply(lines, hidden)
}

/**
 * Reads the greeting and logs in.
 *
 * @throws Failure `auth` for a login that is refused, `protocol` for a server that has no time for us
 */
export async function logIn(lines: Lines, login: string, passwd: Secret): Promise<void> {
  lines.enter('waiting for the greeting')
  expectDone(await readReply(lines))
  lines.enter('logging in')
  const named = await command(lines, `USER ${login}`)
  // 331: the name is known, now the password; else it does without
  const reply = named.code === 331 ? await command(lines, `PASS ${passwd.reveal()}`, [passwd.reveal()]) : named
  const { code, text } = reply
  if (isDone(reply)) return
  // 421: closing the connection; 4xx: try again later. 332 wants an account, which we have none of
  throw new Failure(code >= 500 || code === 332 ? 'auth' : 'protocol', text)
}

/**
 * Asks where a data connection may go, and gives the port. The address in the answer is not looked at: a server could
 * make us connect anywhere with it, and behind address translation it is often the wrong one.
 */
export async function askForPort(lines: Lines, family: 4 | 6): Promise<number> {
  lines.enter('asking for a data connection')
  const reply = await command(lines, family === 6 ? 'EPSV' : 'PASV')
  expectDone(reply)
  const port = family === 6 ? extendedPort(reply.text) : passivePort(reply.text)
  if (port === undefined) throw new Failure('protocol', `no port in "${reply.text}"`)
  return port
}

/** @throws Failure `protocol` unless the reply is 2xx */
export function expectDone(reply: Reply): void {
  if (!isDone(reply)) throw new Failure('protocol', reply.text)
}

export function isDone({ code }: Reply): boolean {
  return code >= 200 && code < 300
}

/** `227 … (h1,h2,h3,h4,p1,p2)`, the brackets not everywhere. */
function passivePort(text: string): number | undefined {
  const parts = /\d+,\d+,\d+,\d+,(\d{1,3}),(\d{1,3})(?!\d)/.exec(text.slice(4))
  if (parts === null) return undefined
  const [high = 0, low = 0] = parts.slice(1).map(Number)
  const port = high * 256 + low
  return high > 255 || low > 255 || port === 0 ? undefined : port
}

/** `229 … (|||port|)`, RFC 2428; any character may stand for the bar. */
function extendedPort(text: string): number | undefined {
  const port = Number(/\((.)\1\1(\d{1,5})\1\)/.exec(text)?.[2] ?? 0)
  return port < 1 || port > 65535 ? undefined : port
}
