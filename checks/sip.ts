import { randomBytes } from 'node:crypto'
import type { Check, Target } from '../src/check/contract.ts'
import { exchangeDatagrams } from '../src/check/datagram.ts'
import { dial, type Endpoint, type Progress } from '../src/check/dial.ts'
import { Failure, failureOf } from '../src/check/failure.ts'
import { login } from '../src/check/fields.ts'
import { encodeOptions, isProvisional, type Response, readStatus } from '../src/check/sip/message.ts'
import { readFinalResponse } from '../src/check/sip/response-stream.ts'
import { printable } from '../src/lib/printable.ts'
import { type CheckResult, down, up } from '../src/model/verdict.ts'

const fields = { login }

/** Sends OPTIONS over UDP or TCP, as the virtual service is. Up when the first final response is 200. */
export const sip: Check<typeof fields> = {
  name: 'sip',
  kind: 'negotiate',
  summary: 'asks a SIP server for its options',
  defaultForPorts: [5060],
  timeout: 'negotiatetimeout',
  fields,
  async run(target, options, { signal, step, timeoutMs }) {
    const progress: Progress = { phase: '' }
    const enter = (phase: string): void => {
      progress.phase = phase
      step(phase)
    }
    const id = randomBytes(16).toString('hex')
    const message = (local: Endpoint): Buffer => {
      enter('waiting for the final response')
      return encodeOptions({ login: options.login, transport: target.transport, local, id })
    }
    const seen = (response: Response): void => {
      if (isProvisional(response)) enter(`waiting for the final response after ${printable(response.text, 80)}`)
    }
    try {
      enter('connecting')
      const ask = target.transport === 'udp' ? askOverUdp : askOverTcp
      return judge(await ask(target, { message, seen, signal, timeoutMs }))
    } catch (error) {
      return failureOf(error, signal, progress.phase)
    }
  },
}

interface Asking {
  message(local: Endpoint): Buffer
  seen(response: Response): void
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

function askOverUdp(target: Target, { message, seen, signal, timeoutMs }: Asking): Promise<Response> {
  let strange: string | undefined
  return exchangeDatagrams(target, {
    signal,
    timeoutMs,
    message,
    take: (datagram) => {
      const head = datagram.toString('latin1', 0, 1024)
      const response = readStatus(head)
      if (response === undefined) strange ??= head
      else seen(response)
      return response === undefined || isProvisional(response) ? undefined : response
    },
    lastWord: () => {
      if (strange !== undefined) throw new Failure('protocol', `not a SIP response: "${printable(strange, 80)}"`)
      return undefined
    },
  })
}

async function askOverTcp(target: Target, { message, seen, signal }: Asking): Promise<Response> {
  const socket = await dial(target, signal)
  try {
    const { localAddress = '', localPort = 0 } = socket
    socket.write(message({ address: localAddress, port: localPort }))
    return await readFinalResponse(socket as AsyncIterable<Buffer>, seen)
  } finally {
    socket.destroy()
  }
}

function judge({ status, text }: Response): CheckResult {
  const told = `SIP ${printable(text, 100)}`
  if (status === 200) return up(told)
  return down(status === 401 || status === 407 ? 'auth' : 'protocol', told)
}
