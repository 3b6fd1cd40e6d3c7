// Dovecot on ports 143 and 993, where Perl ldirectord asks whatever is configured: in a network namespace, with both programs.
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Case, compare, type Outcome } from './beside-perl.ts'
import { type Dovecot, startDovecot } from './dovecot.ts'
import { forkInNamespace } from './namespace.ts'

const acts = ['freeze', 'thaw', 'kill', 'stop'] as const
type Act = (typeof acts)[number]

interface Order {
  readonly id: number
  readonly what: Act | { readonly compare: Case }
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

export type DistantDovecot = Readonly<Record<Act, () => Promise<void>>> & {
  /** Trusted by whoever is to trust the server. */
  readonly certificate: string
  compare(asked: Case): Promise<Outcome>
}

export const standardPorts = { imap: 143, imaps: 993 } as const

/** The server, and the programs beside it. All end with `stop`, or with this process. */
export async function startDovecotOnStandardPorts(): Promise<DistantDovecot> {
  const child = forkInNamespace(fileURLToPath(import.meta.url), ['serve'])
  const tell = talk(child)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const certificate = (await tell(undefined)) as string
  const act = (what: Act) => async (): Promise<void> => void (await tell(what))
  return {
    certificate,
    compare: async (asked) => (await tell({ compare: asked })) as Outcome,
    freeze: act('freeze'),
    thaw: act('thaw'),
    kill: act('kill'),
    stop: async () => {
      if (child.connected) await tell('stop')
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Asks the process; undefined waits for its first word, which comes unasked. Many may be asked at a time. */
function talk(child: ChildProcess): (what: Order['what'] | undefined) => Promise<unknown> {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  child.on('message', ({ id, value, error }: Answer) => {
    const asker = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asker?.resolve(value)
    else asker?.reject(new Error(error))
  })
  const giveUp = (): void => {
    for (const { reject } of waiting.values()) reject(new Error('the process in the namespace has ended'))
  }
  child.once('exit', giveUp).once('error', giveUp)
  return (what) =>
    new Promise((resolve, reject) => {
      const id = what === undefined ? 0 : ++last
      waiting.set(id, { resolve, reject })
      if (what !== undefined) child.send({ id, what } satisfies Order)
    })
}

async function serve(): Promise<void> {
  const say = (answer: Answer): void => void process.send?.(answer)
  const answer = async (id: number, work: () => unknown): Promise<void> => {
    try {
      say({ id, value: await work() })
    } catch (error) {
      say({ id, error: String(error) })
    }
  }
  // Its servers and its Perls end with it.
  process.once('disconnect', () => process.exit(0))
  let server: Dovecot | undefined
  await answer(0, async () => {
    const ports = [standardPorts.imap, standardPorts.imaps, 110, 995]
    server = await startDovecot({ mechanisms: 'plain login', onlySecure: false, ports })
    return join(server.directory, 'cert.pem')
  })
  process.on('message', ({ id, what }: Order) => {
    void answer(id, () => (typeof what === 'string' ? server?.[what]() : compare(what.compare)))
  })
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) await serve()
