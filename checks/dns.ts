import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import type { Check, CheckContext, Target } from '../src/check/contract.ts'
import type { Progress } from '../src/check/dial.ts'
import { exchangeOverTcp, exchangeOverUdp } from '../src/check/dns/exchange.ts'
import { type Answer, encodeQuery, type Question, type Reply } from '../src/check/dns/message.ts'
import { asciiName, reverseName } from '../src/check/dns/name.ts'
import { Failure, failureOf } from '../src/check/failure.ts'
import { receive, request } from '../src/check/fields.ts'
import type { ReceivePattern } from '../src/check/receive/receive.ts'
import { printable } from '../src/lib/printable.ts'
import { type CheckResult, down, up } from '../src/model/verdict.ts'

const fields = { request, receive }

/** Asks a name server for a name's A, then AAAA, or an address's PTR. Up when there is data, and it matches `receive`. */
export const dns: Check<typeof fields> = {
  name: 'dns',
  kind: 'negotiate',
  summary: 'asks a name server for the name or the address in request',
  defaultForPorts: [53],
  timeout: 'negotiatetimeout',
  transportForMark: 'udp',
  fields,
  async run(target, options, context) {
    // It always begins with a slash, put there by the config where the file has none.
    const asked = options.request.text.slice(1)
    if (asked === '' || asked === '.') return down('protocol', 'nothing to ask for: request holds no name')
    const progress: Progress = { phase: 'connecting' }
    try {
      return await askAll(target, { asked, pattern: options.receive, progress, context })
    } catch (error) {
      if (error instanceof RangeError) return down('protocol', `request cannot be asked for: ${error.message}`)
      return failureOf(error, context.signal, progress.phase)
    }
  },
}

interface Asking {
  readonly asked: string
  readonly pattern: ReceivePattern | undefined
  readonly progress: Progress
  readonly context: CheckContext
}

/** AAAA only where A did not do: what passes with Perl ldirectord costs no second question. */
async function askAll(target: Target, asking: Asking): Promise<CheckResult> {
  const seen: Answer[] = []
  for (const question of questionsFor(asking.asked)) {
    const reply = await exchange(target, question, asking)
    if (reply.code !== 0 && seen.length === 0) return down('protocol', textOfCode(reply.code, question))
    const found = reply.answers.find((answer) => satisfies(answer, asking.pattern))
    if (found !== undefined) return up(`answer ${textOf(found)}`)
    seen.push(...reply.answers)
  }
  const values = seen.filter(({ value }) => value !== '')
  if (asking.pattern === undefined || values.length === 0) {
    return down('mismatch', `no ${asking.pattern === undefined ? 'data' : 'address or name'} in the answer`)
  }
  return down('mismatch', `receive pattern not found in the answer: ${printable(values.map(textOf).join(', '), 200)}`)
}

function questionsFor(asked: string): readonly Question[] {
  if (isIP(asked) !== 0 && !asked.includes('%')) return [{ name: reverseName(asked), type: 'PTR' }]
  const name = asciiName(asked)
  return [
    { name, type: 'A' },
    { name, type: 'AAAA' },
  ]
}

/** A pattern is held against each address or name by itself. */
function satisfies({ value }: Answer, pattern: ReceivePattern | undefined): boolean {
  if (pattern === undefined) return true
  if (value === '') return false
  const outcome = pattern.search(value)
  if (outcome === 'gave-up') throw new Failure('mismatch', 'the search for receive in the answer took too long')
  return outcome === 'yes'
}

async function exchange(target: Target, question: Question, { progress, context }: Asking): Promise<Reply> {
  const { signal, timeoutMs } = context
  const query = encodeQuery(randomInt(0x10000), question)
  const enter = (transport: string): void => {
    progress.phase = `waiting for the answer to ${textOfQuestion(question)} over ${transport}`
    context.step(progress.phase)
  }
  if (target.transport === 'udp') {
    enter('UDP')
    const reply = await exchangeOverUdp(target, { query, signal, timeoutMs })
    if (!reply.truncated) return reply
    context.step('truncated: asking again over TCP')
  }
  enter('TCP')
  return exchangeOverTcp(target, { query, signal, timeoutMs })
}

const codes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

function textOfCode(code: number, question: Question): string {
  return `the server answers ${codes[code] ?? `error ${code}`} to ${textOfQuestion(question)}`
}

const textOfQuestion = ({ name, type }: Question): string => `${printable(name, 100)} ${type}`
const textOf = ({ type, value }: Answer): string =>
  value === '' ? `of type ${type}` : `${type} ${printable(value, 100)}`
