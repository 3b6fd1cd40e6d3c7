import { connect, type Socket } from 'node:net'
import type { SendMailOptions } from 'nodemailer'
import type { MailServer } from '../config/model.ts'
import { messageOf } from '../lib/errors.ts'
import { failed, type Outcome, sent } from './delivery.ts'
import type { Mailbox } from './recipients.ts'

/** One mail; a second try sends the same, so that whoever gets it twice can tell. */
export interface Mail {
  /** Undefined: whoever takes it fills it in. */
  readonly from: Mailbox | undefined
  readonly to: readonly Mailbox[]
  readonly subject: string
  readonly text: string
  readonly date: Date
  /** Without its angle brackets. */
  readonly messageId: string
}

export interface SmtpPost {
  readonly server: MailServer
  /** MAIL FROM. */
  readonly sender: string
  /** Who has not got it yet, each his own RCPT; after a try those whom the server may take later. */
  readonly waiting: Set<string>
}

type Nodemailer = typeof import('nodemailer')
let loading: Promise<Nodemailer> | undefined

/** Loads the package ahead of the first mail: when there is trouble to tell of, no descriptor may be left for it. */
export function prepareMail(): void {
  load().catch(() => undefined)
}

/** A director without mail does without its time and memory. */
function load(): Promise<Nodemailer> {
  loading ??= import('nodemailer').catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

/** Shorter than the deadline of the try, so that the reason says what was waited for. */
const timeouts = { connectionTimeout: 20_000, greetingTimeout: 20_000, socketTimeout: 40_000 }

/**
 * The mail as bytes, lines end in LF. ASCII stays as it is, as Perl ldirectord sends it: the encoding that the package
 * puts on lines above 76 letters would cut the words that mail filters look for.
 */
export async function composeMail(mail: Mail): Promise<Uint8Array> {
  const { createTransport } = await load()
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  const isPlain = /^(?:[\t\x20-\x7e]{0,998}\n)+$/.test(mail.text)
  const { message } = await transport.sendMail(contentOf(isPlain ? { ...mail, text: 'x' } : mail))
  if (!isPlain || !Buffer.isBuffer(message)) return message as Uint8Array
  return Buffer.concat([message.subarray(0, message.indexOf('\n\n') + 2), Buffer.from(mail.text)])
}

/** One try over SMTP. What the server refuses for good is no reason to try again; everything else may pass. */
export async function sendBySmtp(mail: Mail, post: SmtpPost, signal: AbortSignal): Promise<Outcome> {
  const { server, sender, waiting } = post
  const { host, port, login, password } = server
  const { createTransport } = await load()
  const transport = createTransport({
    host,
    port,
    secure: false,
    ...tlsOf(server),
    ...timeouts,
    getSocket: (_options, done) => dial({ host, port, signal }, done),
    ...(login === undefined ? {} : { auth: { user: login, pass: password?.reveal() ?? '' } }),
    // A text has nothing to fetch: neither files nor addresses are read for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const envelope = { from: sender, to: [...waiting] }
    // Bytes that were made here: of a `raw` that is an object, the package would read files and addresses.
    const raw = Buffer.from(await composeMail(mail))
    const { rejectedErrors = [] } = await transport.sendMail({ raw, envelope, signal })
    return tellRefused(rejectedErrors, waiting)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const { rejectedErrors = [] } = error as Refusal
    if (rejectedErrors.length > 0) return tellRefused(rejectedErrors, waiting)
    return failed(textOf(error), { retry: !isFinal(error as Refusal) })
  } finally {
    transport.close()
  }
}

type Dialled = (error: Error | null, connected?: { connection: Socket }) => void

/**
 * By the system's resolver, all its addresses in turn: the package asks the name servers before /etc/hosts, and
 * `smtp = localhost` must work when these are down.
 */
function dial(to: { readonly host: string; readonly port: number; readonly signal: AbortSignal }, done: Dialled): void {
  const socket = connect({ ...to, autoSelectFamily: true, noDelay: true })
  const ms = timeouts.connectionTimeout
  socket.setTimeout(ms, () => socket.destroy(new Error(`no connection within ${ms / 1000} s`)))
  socket.once('error', done)
  socket.once('connect', () => {
    socket.setTimeout(0).removeAllListeners('timeout')
    socket.removeListener('error', done)
    done(null, { connection: socket })
  })
}

interface Refusal {
  readonly code?: string | undefined
  readonly responseCode?: number | undefined
  readonly recipient?: string | undefined
  readonly rejectedErrors?: readonly Refusal[] | undefined
}

/** All others have it. The reason of the first is told. */
function tellRefused(refusals: readonly Refusal[], waiting: Set<string>): Outcome {
  waiting.clear()
  for (const each of refusals) if (!isFinal(each) && each.recipient !== undefined) waiting.add(each.recipient)
  const first = refusals[0]
  if (first === undefined) return sent
  return failed(`${first.recipient ?? 'a recipient'}: ${textOf(first)}`, { retry: waiting.size > 0 })
}

/** A 5xx; a login that was refused too, lest the account be locked. */
function isFinal({ code, responseCode = 0 }: Refusal): boolean {
  return (responseCode >= 500 && responseCode < 600) || (code === 'EAUTH' && responseCode === 0)
}

function textOf(error: unknown): string {
  const text = messageOf(error)
  return text.replace(/\s+/g, ' ')
}

function contentOf({ from, to, subject, text, date, messageId }: Mail): SendMailOptions {
  const mailboxes = to.map(({ name, address }) => ({ name, address }))
  return { ...(from === undefined ? {} : { from }), to: mailboxes, subject, text, date, messageId: `<${messageId}>` }
}

/** `try` goes without where TLS is refused, and takes any certificate; `yes` goes without never, and takes a valid one. */
function tlsOf({ starttls }: MailServer) {
  switch (starttls) {
    case 'no':
      return { ignoreTLS: true }
    case 'try':
      return { opportunisticTLS: true, tls: { rejectUnauthorized: false } }
    case 'yes':
      return { requireTLS: true, tls: { rejectUnauthorized: true } }
  }
}
