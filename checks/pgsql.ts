import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Check, CheckContext, Target } from '../src/check/contract.ts'
import { ClosedError, dial, type Progress } from '../src/check/dial.ts'
import { Failure, failureOf } from '../src/check/failure.ts'
import { database, login, passwd, request, virtualhost } from '../src/check/fields.ts'
import { GuardedStream } from '../src/check/pgsql/guarded-stream.ts'
import { asksForTls } from '../src/check/pgsql/ssl-request.ts'
import { incomplete, queryOf } from '../src/check/sql.ts'
import { secure } from '../src/check/tls.ts'
import { starttls, tlsFields } from '../src/check/tls-fields.ts'
import { codeOf, messageOf } from '../src/lib/errors.ts'
import type { OptionsOf } from '../src/lib/fields.ts'
import { printable } from '../src/lib/printable.ts'
import { type DownReason, down, up } from '../src/model/verdict.ts'

const fields = { login, passwd, database, request, virtualhost, starttls, ...tlsFields }
type Options = OptionsOf<typeof fields>

/** Logs in, asks `request` once: up when at least one row comes back, or was changed. */
export const pgsql: Check<typeof fields> = {
  name: 'pgsql',
  kind: 'negotiate',
  summary: 'logs in to PostgreSQL and runs the query in request',
  defaultForPorts: [5432],
  timeout: 'negotiatetimeout',
  fields,
  async run(target, options, context) {
    const sql = queryOf(options.request)
    const lacking = incomplete(target.address, options.login, sql)
    if (lacking !== undefined) return lacking
    const progress: Progress = { phase: '' }
    const enter = (phase: string): void => {
      progress.phase = phase
      context.step(phase)
    }
    let socket: Socket | undefined
    try {
      // Before there is a socket, whose end would be missed while this waits.
      const driver = await import('pg')
      enter('connecting')
      socket = await dial(target, context.signal)
      socket = await withTls(socket, { target, options, context, enter })
      const { rows, leave } = await ask(socket, { ...options, sql, enter, driver })
      if (!rows) return down('mismatch', 'the query gave no row')
      const result = up('the query gave a row')
      context.decided(result)
      await leave()
      return result
    } catch (error) {
      return failureOf(error, context.signal, progress.phase)
    } finally {
      socket?.destroy()
    }
  },
}

interface Way {
  readonly target: Target
  readonly options: Options
  readonly context: CheckContext
  enter(phase: string): void
}

/** The connection, over TLS where `starttls` asks for it and the server agrees. */
async function withTls(socket: Socket, { target, options, context, enter }: Way): Promise<Socket> {
  if (options.starttls === 'no') return socket
  enter('asking for TLS')
  if (await asksForTls(socket)) {
    enter('in the TLS handshake')
    return secure(socket, { options, virtualhost: options.virtualhost, address: target.address }, context)
  }
  if (options.starttls === 'yes') {
    socket.destroy()
    throw new Failure('tls', 'the server does not speak TLS')
  }
  context.step('going on without TLS: the server does not offer it')
  return socket
}

interface Question extends Options {
  readonly sql: string
  readonly driver: Pick<typeof import('pg'), 'Client' | 'Query'>
  enter(phase: string): void
}

interface Answer {
  readonly rows: boolean
  /** Says good-bye if that can be done without reading the rest of the answer; the caller closes in any case. */
  leave(): Promise<void>
}

function ask(socket: Socket, question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(translate(error))
    const { Client, Query } = question.driver
    const stream = new GuardedStream(socket, reject)
    const client = new Client({
      // All that the driver would else take from the environment or from ~/.pgpass.
      user: question.login,
      password: () => question.passwd.reveal(),
      database: question.database === '' ? question.login : question.database,
      host: 'checked.invalid',
      port: 1,
      ssl: false,
      application_name: 'ldirectord-ng',
      // It is what the driver uses of a stream, and no more.
      stream: () => stream as unknown as Duplex,
    })
    client.on('error', fail)
    question.enter('logging in')
    client.connect((error: Error | null) => {
      if (error) return fail(error)
      question.enter('waiting for rows')
      let complete = false
      const leave = async (): Promise<void> => {
        if (!complete || socket.destroyed) return
        // It may have gone already, which takes nothing from the answer.
        const closed = once(socket, 'close').catch(() => undefined)
        void client.end().catch(() => undefined)
        await closed
      }
      const query = client.query(new Query({ text: question.sql }))
      // With a listener the driver keeps no rows.
      query.on('row', () => resolve({ rows: true, leave }))
      query.on('error', fail)
      query.on('end', (result) => {
        complete = true
        resolve({ rows: changed(result), leave })
      })
    })
  })
}

/** Of several statements one is enough. */
function changed(result: unknown): boolean {
  if (Array.isArray(result)) return result.some(changed)
  return typeof result === 'object' && result !== null && 'rowCount' in result && Number(result.rowCount) > 0
}

/** SQLSTATEs about who may come in or do this: no pg_hba.conf entry, wrong password, no right to the table. */
const authStates = new Set(['28000', '28P01', '42501', '0L000', '0P000'])

/** The driver's errors as what they say of the server. Those with a severity are the server's own, with an SQLSTATE. */
function translate(error: unknown): unknown {
  const code = codeOf(error) ?? ''
  const text = printable(messageOf(error), 200)
  if (typeof error === 'object' && error !== null && 'severity' in error) {
    const reason: DownReason = authStates.has(code) ? 'auth' : 'protocol'
    return new Failure(reason, `error ${printable(code, 5)}: ${text}`)
  }
  if (error instanceof Failure || error instanceof ClosedError || code !== '') return error
  if (/^Connection terminated/.test(text)) return new ClosedError()
  return text.startsWith('SASL') ? new Failure('auth', text) : new Failure('protocol', `not understood: ${text}`)
}
