import { type ServiceKey, serviceKeyOf } from '../../model/service.ts'
import { type Operation, type Outcome, TableError } from '../../table/operation.ts'
import { faultErrorOf, refusalOf } from '../../table/refusal.ts'
import { encodeOperation, encodeServiceDump } from './codec.ts'
import { holds } from './confirm.ts'
import { decodeService, errnoOf } from './decode.ts'
import { readTable } from './read.ts'
import { ask, errnoName, lookUpFamily, type Session } from './session.ts'
import { messagesIn } from './wire.ts'

/** The kernel keeps the answers of a batch for us till we read the first: as many as it has messages, at worst. */
const batchSize = 100

/** In order; what the kernel would swallow is refused before it is sent. */
export async function applyPlan(session: Session, plan: readonly Operation[]): Promise<readonly Outcome[]> {
  const faults = plan.map((operation) => faultErrorOf(operation))
  const sound = plan.filter((_, index) => faults[index] === undefined)
  const answers = sound.length === 0 ? [] : await applySound(session, sound)
  const answer = answers.values()
  return plan.map((operation, index) => {
    const error = faults[index] ?? answer.next().value
    return error === undefined ? { operation, ok: true } : { operation, ok: false, error }
  })
}

type Answer = TableError | undefined

async function applySound(session: Session, plan: readonly Operation[]): Promise<Answer[]> {
  const family = await lookUpFamily(session)
  const edits = plan.some((operation) => operation.kind === 'edit-service')
  const engines = edits ? await readEngines(session, family) : new Map<ServiceKey, string>()
  const answers: Answer[] = []
  for (let start = 0; start < plan.length; start += batchSize) {
    const batch = plan.slice(start, start + batchSize)
    const { answers: some, lost } = await sendBatch(session, batch, { family, engines })
    answers.push(...some)
    // The way is broken: the rest is not sent, and told so.
    if (lost !== undefined) return plan.map((_, index) => (index < answers.length ? answers[index] : lost))
  }
  return answers
}

/** An edit replaces the whole service, so the engine that others gave it has to be said again. */
async function readEngines(session: Session, family: number): Promise<ReadonlyMap<ServiceKey, string>> {
  const messages = await ask(session, (seq) => encodeServiceDump({ family, seq }), 'read')
  const services = messages.map(decodeService).filter((service) => service !== undefined)
  return new Map(services.map(({ id, engine }) => [serviceKeyOf(id), engine]))
}

interface Known {
  readonly family: number
  readonly engines: ReadonlyMap<ServiceKey, string>
}

interface BatchResult {
  readonly answers: readonly Answer[]
  /** Why the last answer never came. */
  readonly lost?: TableError
}

/** The kernel answers each refusal, and what is asked to answer: the last. When that comes, silence was consent. */
async function sendBatch(session: Session, batch: readonly Operation[], known: Known): Promise<BatchResult> {
  const first = session.seq + 1
  session.seq += batch.length
  const answers: Answer[] = batch.map(() => undefined)
  const take = (datagram: Buffer): 'more' | 'last' => {
    let progress: 'more' | 'last' = 'more'
    for (const message of messagesIn(datagram)) {
      const index = message.seq - first
      const operation = batch[index]
      const errno = errnoOf(message)
      if (operation === undefined || errno === undefined) continue
      if (errno !== 0) answers[index] = refusalOf(operation, errnoName(errno))
      if (index === batch.length - 1) progress = 'last'
    }
    return progress
  }
  try {
    await session.transport.exchange(encodeBatch(batch, first, known), take, session.signal)
    return { answers }
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    return { answers: await answersFromState(session, batch, { answers, error }), lost: error }
  }
}

function encodeBatch(batch: readonly Operation[], first: number, { family, engines }: Known): Buffer {
  const messages = batch.map((operation, index) => {
    const engine = operation.kind === 'edit-service' ? (engines.get(serviceKeyOf(operation.id)) ?? '') : ''
    return encodeOperation(operation, { family, seq: first + index, ack: index === batch.length - 1, engine })
  })
  return Buffer.concat(messages)
}

interface Lost {
  readonly answers: readonly Answer[]
  readonly error: TableError
}

/** What holds in the table was done; of the rest nothing more is known. */
async function answersFromState(session: Session, batch: readonly Operation[], lost: Lost): Promise<Answer[]> {
  const { answers, error } = lost
  const ours = new Set(batch.map((operation) => serviceKeyOf(operation.id)))
  const actual = error.code === 'ETIMEDOUT' ? await readTable(session, ours).catch(() => undefined) : undefined
  return batch.map((operation, index) => {
    if (answers[index] !== undefined) return answers[index]
    return actual !== undefined && holds(operation, actual) ? undefined : error
  })
}
