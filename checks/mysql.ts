import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Check } from '../src/check/contract.ts'
import { ClosedError, dial, type Progress } from '../src/check/dial.ts'
import { Failure, failureOf } from '../src/check/failure.ts'
import { database, login, passwd, request } from '../src/check/fields.ts'
import { PacketStream } from '../src/check/mysql/packet-stream.ts'
import { incomplete, queryOf } from '../src/check/sql.ts'
import { codeOf, messageOf } from '../src/lib/errors.ts'
import type { OptionsOf } from '../src/lib/fields.ts'
import { printable } from '../src/lib/printable.ts'
import { type DownReason, down, up } from '../src/model/verdict.ts'

const fields = { login, passwd, database, request }
type Options = OptionsOf<typeof fields>

/** Logs in, asks `request` once: up when at least one row comes back, or was changed. MySQL and MariaDB. */
export const mysql: Check<typeof fields> = {
  name: 'mysql',
  kind: 'negotiate',
  summary: 'logs in to MySQL or MariaDB and runs the query in request',
  defaultForPorts: [3306],
  timeout: 'negotiatetimeout',
  fields,
  async run(target, options, { signal, step, decided }) {
    const sql = queryOf(options.request)
    const lacking = incomplete(target.address, options.login, sql)
    if (lacking !== undefined) return lacking
    const progress: Progress = { phase: '' }
    const enter = (phase: string): void => {
      progress.phase = phase
      step(phase)
    }
    let socket: Socket | undefined
    try {
      // Before there is a socket, whose end would be missed while this waits.
      // `default`: as in src/check/http/undici.ts
      const { createConnection } = (await import('mysql2')).default
      enter('connecting')
      socket = await dial(target, signal)
      const { rows, leave } = await ask(socket, { ...options, sql, enter, createConnection })
      if (!rows) return down('mismatch', 'the query gave no row')
      const result = up('the query gave a row')
      decided(result)
      await leave()
      return result
    } catch (error) {
      return failureOf(error, signal, progress.phase)
    } finally {
      socket?.destroy()
    }
  },
}

interface Question extends Options {
  readonly sql: string
  readonly createConnection: typeof import('mysql2').createConnection
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
    const stream = new PacketStream(socket, reject)
    question.enter('waiting for the greeting')
    socket.once('data', () => question.enter('logging in'))
    const connection = question.createConnection({
      stream,
      user: question.login,
      password: question.passwd.reveal(),
      ...(question.database === '' ? {} : { database: question.database }),
      // The deadline is the probe's, and destroys the socket.
      connectTimeout: 0,
      disableEval: true,
      // None is made, and the driver sets aside room for 16 000 on each connection.
      maxPreparedStatements: 1,
      // A server must not be able to ask for files of this machine.
      flags: ['-LOCAL_FILES'],
    })
    connection.on('error', fail)
    connection.once('connect', () => {
      question.enter('waiting for rows')
      let complete = false
      const leave = async (): Promise<void> => {
        if (!complete || socket.destroyed) return
        connection.end()
        stream.end()
        // It may have gone already, which takes nothing from the answer.
        await once(socket, 'close').catch(() => undefined)
      }
      connection
        .query({ sql: question.sql, typeCast: false, rowsAsArray: true })
        .on('error', fail)
        .on('result', (result: unknown) => {
          if (hasRows(result)) resolve({ rows: true, leave })
        })
        .on('end', () => {
          complete = true
          resolve({ rows: false, leave })
        })
    })
  })
}

/** A row, or the header of a result without columns, which counts what the statement changed. */
function hasRows(result: unknown): boolean {
  if (Array.isArray(result)) return true
  return typeof result === 'object' && result !== null && 'affectedRows' in result && Number(result.affectedRows) > 0
}

/** Server errors about who may come in or do this: access denied, host not allowed, account locked, password expired … */
const authErrors = new Set([1044, 1045, 1130, 1142, 1143, 1227, 1251, 1698, 1820, 1862, 3118, 4151])
const authCodes = new Set(['AUTH_SWITCH_PLUGIN_ERROR', 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED'])

/** The driver's errors as what they say of the server. Positive numbers are the server's own, negative the system's. */
function translate(error: unknown): unknown {
  const number =
    typeof error === 'object' && error !== null && 'errno' in error && typeof error.errno === 'number' ? error.errno : 0
  if (number < 0) return error
  const code = codeOf(error) ?? ''
  if (code === 'PROTOCOL_CONNECTION_LOST') return new ClosedError()
  const reason: DownReason = authErrors.has(number) || authCodes.has(code) ? 'auth' : 'protocol'
  const text = printable(messageOf(error), 200)
  return new Failure(reason, number > 0 ? `error ${number}: ${text}` : `not understood: ${text}`)
}
