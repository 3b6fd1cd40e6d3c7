import { access, constants } from 'node:fs/promises'
import { isIP } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Check, CheckContext } from '../src/check/contract.ts'
import { failureOf } from '../src/check/failure.ts'
import { checkcount } from '../src/check/fields.ts'
import { codeOf, messageOf } from '../src/lib/errors.ts'
import { printable } from '../src/lib/printable.ts'
import { type CheckResult, down, unknown, up } from '../src/model/verdict.ts'

const fields = { checkcount }

/** Up at the first ICMP echo reply; `checkcount` attempts share the probe's time. IPv4 and IPv6. */
export const ping: Check<typeof fields> = {
  name: 'ping',
  kind: 'ping',
  summary: 'asks for an ICMP echo reply',
  defaultForPorts: [],
  timeout: 'checktimeout',
  fields,
  async run({ address }, options, context) {
    // Anything else could be taken for an option of the ping program.
    if (isIP(address) === 0) return unknown('bug', `not a literal address: ${printable(address)}`)
    const attempts = Math.max(1, options.checkcount)
    for (let attempt = 1; ; attempt++) {
      context.step(`echo request ${attempt} of ${attempts}`)
      const result = await attemptOnce(address, Math.round(context.timeoutMs / attempts), context)
      if (result.verdict !== 'down' || attempt >= attempts) return result
    }
  },
}

/** The child cannot be stopped from here, but it ends by its own limit; so an aborted probe ends late, never stacked. */
async function attemptOnce(address: string, limitMs: number, { signal }: CheckContext): Promise<CheckResult> {
  if (signal.aborted) return failureOf(signal.reason, signal, 'waiting for an echo reply')
  try {
    const answer = await sendEcho(address, limitMs / 1000)
    if (answer.alive) return up(`echo reply in ${answer.time} ms`)
    return signal.aborted
      ? failureOf(signal.reason, signal, 'waiting for an echo reply')
      : readFailure(answer.output, limitMs)
  } catch (error) {
    return readRefusal(error)
  }
}

async function sendEcho(
  address: string,
  timeout: number,
): Promise<{ alive: boolean; time: number | 'unknown'; output: string }> {
  const { promise } = (await import('ping')).default
  // The library sets LANG in this process for good: lent to it for the moment of the spawn. LC_ALL would outrank it.
  const { LANG, LC_ALL } = process.env
  Object.assign(process.env, { LC_ALL: 'C' })
  try {
    // v6: false is the program `ping`, which knows both families; not every system has `ping6`.
    return promise.probe(address, { numeric: true, timeout, min_reply: 1, v6: false })
  } finally {
    restore('LANG', LANG)
    restore('LC_ALL', LC_ALL)
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

const notPermitted = /Operation not permitted|Permission denied|check your local firewall|CAP_NET_RAW/i
const unreachable =
  /unreachable|prohibited|no route to host|host is down|packet filtered|time to live|connect: Invalid argument/i

/** Its exit status is not told: what kind of silence it was stands only in what it printed. */
function readFailure(output: string, limitMs: number): CheckResult {
  const lines = output.split('\n').map((line) => line.trim())
  const complaints = lines.filter((line) => /^ping6?: /.test(line))
  const seen = complaints.length > 0 ? complaints : lines.filter((line) => unreachable.test(line))
  const text = printable(seen.join('; '), 200)
  if (text === '') {
    return output.includes('packets transmitted')
      ? down('timeout', `no echo reply within ${limitMs} ms`)
      : unknown('local-resource', `ping said nothing that can be read: ${printable(output, 200)}`)
  }
  if (notPermitted.test(text)) return unknown('not-permitted', `ping is not permitted here: ${text}`)
  return unreachable.test(text) ? down('unreachable', text) : unknown('local-resource', text)
}

/** The program did not start. The library keeps the error code only of what spawn throws at once. */
async function readRefusal(error: unknown): Promise<CheckResult> {
  if (codeOf(error) === 'EPERM') {
    return unknown('not-permitted', 'the ping program may not be started here: it needs CAP_NET_RAW')
  }
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  const found = await Promise.any(directories.map((directory) => access(join(directory, 'ping'), constants.X_OK))).then(
    () => true,
    () => false,
  )
  return found
    ? unknown('local-resource', `the ping program could not be started: ${printable(messageOf(error), 200)}`)
    : unknown('missing-tool', 'there is no ping program in PATH')
}
