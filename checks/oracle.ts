import type { Check } from '../src/check/contract.ts'
import { NoPortError, type Progress } from '../src/check/dial.ts'
import { failureOf } from '../src/check/failure.ts'
import { database, login, passwd, request } from '../src/check/fields.ts'
import { isDatabaseName } from '../src/check/oracle/descriptor.ts'
import { errorOf } from '../src/check/oracle/fault.ts'
import type { OracleMessage, OracleQuestion } from '../src/check/oracle/messages.ts'
import { askInThread } from '../src/check/oracle/thread.ts'
import { incomplete, queryOf } from '../src/check/sql.ts'
import { printable } from '../src/lib/printable.ts'
import { type CheckResult, down, unknown, up } from '../src/model/verdict.ts'

const fields = { login, passwd, database, request }

const missing = unknown('missing-tool', 'the check needs the npm package oracledb, which is not installed')

/** Logs in, asks `request` once: up when at least one row comes back, or was changed. `database` is a SID or a service. */
export const oracle: Check<typeof fields> = {
  name: 'oracle',
  kind: 'negotiate',
  summary: 'logs in to Oracle and runs the query in request',
  defaultForPorts: [1521],
  timeout: 'negotiatetimeout',
  fields,
  async run(target, options, { signal, timeoutMs, step, decided }) {
    const sql = queryOf(options.request)
    const lacking = incomplete(target.address, options.login, sql) ?? faultOfName(options.database)
    if (lacking !== undefined) return lacking
    const progress: Progress = { phase: 'starting' }
    const question: OracleQuestion = {
      address: target.address,
      port: target.port,
      login: options.login,
      password: options.passwd.reveal(),
      database: options.database,
      sql,
      limitSeconds: Math.ceil(timeoutMs / 1000) + 1,
    }
    let result: CheckResult | undefined
    const hear = (message: OracleMessage): void => {
      if (message.kind === 'step') {
        progress.phase = message.note
        step(message.note)
      }
      // What goes wrong at the good-bye takes nothing from the answer.
      result ??= resultOf(message, { database: options.database, signal, progress })
      if (message.kind === 'answer' && result !== undefined) decided(result)
    }
    try {
      if (target.port === 0) throw new NoPortError()
      await askInThread(question, signal, hear)
    } catch (error) {
      return result ?? failureOf(error, signal, progress.phase)
    }
    return result ?? down('protocol', 'the driver gave no answer')
  },
}

function faultOfName(name: string): CheckResult | undefined {
  if (name === '') return down('protocol', 'database names neither a SID nor a service')
  if (!isDatabaseName(name)) return down('protocol', `not a SID or a service name: "${printable(name, 60)}"`)
  return undefined
}

interface Heard {
  readonly database: string
  readonly signal: AbortSignal
  readonly progress: Progress
}

function resultOf(message: OracleMessage, { database: name, signal, progress }: Heard): CheckResult | undefined {
  switch (message.kind) {
    case 'answer':
      return message.rows ? up('the query gave a row') : down('mismatch', 'the query gave no row')
    case 'fault':
      return failureOf(errorOf(message.fault, name), signal, progress.phase)
    case 'endless':
      return down('protocol', 'the answer has no end')
    case 'missing':
      return missing
    case 'step':
    case 'left':
      return undefined
  }
}
