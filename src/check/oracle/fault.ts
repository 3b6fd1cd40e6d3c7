import { printable } from '../../lib/printable.ts'
import type { DownReason } from '../../model/verdict.ts'
import { ClosedError } from '../dial.ts'
import { Failure } from '../failure.ts'
import type { OracleFault } from './messages.ts'

/** Who may come in: wrong name or password, locked, expired, no right to a session or to this. (Error Messages Reference) */
const authErrors = new Set(['1005', '1017', '1031', '1040', '1045', '28000', '28001', '28002', '28009', '28040'])

/** The listener's own refusals, of which it sends the number alone. (Error Messages Reference, TNS-12500 to TNS-12699) */
const listenerWords: Readonly<Record<string, string>> = {
  12505: 'the listener knows no such SID',
  12514: 'the listener knows no such service',
  12516: 'the listener has no handler free for this protocol',
  12518: 'the listener could not hand the connection on',
  12519: 'the listener has no handler free: too many connections',
  12520: 'the listener has no handler free for this kind of server',
  12521: 'the listener knows no such instance',
  12526: 'the instance is open to administrators only',
  12527: 'the instance is restricted or takes no new connections',
  12528: 'the instance takes no new connections: it is starting up or shutting down',
}

/** A fault of the driver as what it says of the server. What carries a system code is left to be judged by that. */
export function errorOf(fault: OracleFault, database: string): Error {
  const { code, system } = fault
  if (system !== undefined) return Object.assign(new Error(fault.message), { code: system })
  const message = wordsOf(fault.message)
  if (code === 'NJS-519') return refusal('12505', database)
  if (code === 'NJS-518') return refusal('12514', database)
  if (code === 'NJS-511') return refusal(/ORA-(\d+)/.exec(message)?.[1] ?? '', database)
  const number = /^ORA-0*(\d+)/.exec(code)?.[1] ?? /^ORA-0*(\d+)/.exec(message)?.[1]
  if (number !== undefined) return new Failure(reasonOf(number), `error ${message}`)
  // closed, lost, ended; of the middle one the driver tells more in its second line
  if (['NJS-500', 'NJS-501', 'NJS-521'].includes(code) && !/Invalid packet/.test(fault.message))
    return new ClosedError()
  return new Failure('protocol', `not understood: ${message}`)
}

function reasonOf(number: string): DownReason {
  return authErrors.has(number) ? 'auth' : 'protocol'
}

function refusal(number: string, database: string): Failure {
  const words = listenerWords[number] ?? 'the listener refuses the connection'
  const error = number === '' ? '' : `error ORA-${number}: `
  return new Failure('protocol', `${error}${words} (${printable(database, 100)})`)
}

/** One line, without the random number that the driver gives each connection. */
export function wordsOf(message: string): string {
  const lines = message.replace(/\s*\(CONNECTION_ID=[^)]*\)/g, '').split('\n')
  const line = lines.find((each) => /Invalid packet|ORA-/.test(each)) ?? lines[0] ?? ''
  return printable(line.trim(), 200)
}
