import type { Socket } from 'node:net'
import type { Check, CheckContext, Target } from '../src/check/contract.ts'
import { exchangeDatagrams } from '../src/check/datagram.ts'
import { ClosedError, dial, type Progress } from '../src/check/dial.ts'
import { failureOf } from '../src/check/failure.ts'
import { receive, request } from '../src/check/fields.ts'
import type { ReceivePattern } from '../src/check/receive/receive.ts'
import { LineSearch } from '../src/check/simple/line-search.ts'
import { encodeRequest, escapes, unusedEscape } from '../src/check/simple/request.ts'
import { codeOf } from '../src/lib/errors.ts'
import type { CheckResult } from '../src/model/verdict.ts'

const fields = { request, receive, escapes }

/** Sends `request`, half-closes and reads. Up when a line of the reply matches `receive`; without one, when any comes. */
export const simpletcp: Check<typeof fields> = {
  name: 'simpletcp',
  kind: 'negotiate',
  summary: 'sends request and looks for receive in what comes back',
  defaultForPorts: [],
  timeout: 'negotiatetimeout',
  fields,
  async run(target, options, context) {
    // It always begins with a slash, put there by the config where the file has none.
    const text = options.request.text.slice(1)
    warnOfEscapes(text, options.escapes, context)
    const progress: Progress = { phase: 'connecting' }
    const asking: Asking = {
      bytes: encodeRequest(text, options.escapes),
      pattern: options.receive,
      context,
      progress,
    }
    try {
      context.step(progress.phase)
      return await (target.transport === 'udp' ? askOverUdp(target, asking) : askOverTcp(target, asking))
    } catch (error) {
      return failureOf(error, context.signal, progress.phase)
    }
  },
}

function warnOfEscapes(text: string, withEscapes: boolean, { warn }: CheckContext): void {
  const unused = withEscapes ? undefined : unusedEscape(text)
  if (unused !== undefined) warn(`request holds ${unused}, which is sent as it stands; escapes = yes makes it a byte`)
}

interface Asking {
  readonly bytes: Buffer
  readonly pattern: ReceivePattern | undefined
  readonly context: CheckContext
  readonly progress: Progress
}

async function askOverTcp(target: Target, asking: Asking): Promise<CheckResult> {
  const { bytes, context } = asking
  const socket = await dial(target, context.signal)
  try {
    socket.end(bytes)
    enterReply(asking)
    return await readAll(socket, asking)
  } finally {
    socket.destroy()
  }
}

async function readAll(socket: Socket, { pattern, context }: Asking): Promise<CheckResult> {
  const search = new LineSearch(pattern)
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      const verdict = search.add(chunk)
      if (verdict !== undefined) return verdict
    }
  } catch (error) {
    // one that leaves without having read everything resets the connection; what it said before counts
    if (search.length === 0 || context.signal.aborted || codeOf(error) !== 'ECONNRESET') throw error
  }
  context.signal.throwIfAborted()
  if (search.length === 0) throw new ClosedError()
  return search.end()
}

/** A reply may be several datagrams, and none says that it is the last: after one that does not match, others may come. */
function askOverUdp(target: Target, asking: Asking): Promise<CheckResult> {
  const { bytes, pattern, context } = asking
  let mismatch: CheckResult | undefined
  return exchangeDatagrams<CheckResult>(target, {
    signal: context.signal,
    timeoutMs: context.timeoutMs,
    message: () => {
      enterReply(asking)
      return bytes
    },
    take: (datagram) => {
      const search = new LineSearch(pattern)
      const verdict = search.add(datagram) ?? search.end()
      if (verdict.verdict === 'up') return verdict
      mismatch ??= verdict
      return undefined
    },
    lastWord: () => mismatch,
  })
}

function enterReply({ progress, context }: Asking): void {
  progress.phase = 'waiting for the reply'
  context.step(progress.phase)
}
