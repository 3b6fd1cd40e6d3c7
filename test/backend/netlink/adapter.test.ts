import assert from 'node:assert/strict'
import { openKernelTable } from '../../../src/backend/netlink/adapter.ts'
import { command, messageType } from '../../../src/backend/netlink/constants.ts'
import type { Transport } from '../../../src/backend/netlink/transport.ts'
import { type Message, messagesIn } from '../../../src/backend/netlink/wire.ts'
import type { ServiceId, ServiceKey } from '../../../src/model/service.ts'
import { type Operation, type Outcome, TableError } from '../../../src/table/operation.ts'
import { address, entry, mark, never, settings } from '../../table/fixtures.ts'
import { doneReply, dumped, errorReply, familyReply, withSeq } from './bytes.ts'

/** A kernel of a few lines: what it answers to one message, by its command. */
interface Kernel {
  family?: number
  /** Datagrams for the nth message of any exchange; undefined: silence unless an answer is asked for. */
  answer?(message: Message, command: number): Buffer[] | undefined
  /** The errno of a lookup. */
  lookup?: number
  /** Never sends the last answer. */
  mute?: boolean
}

interface Line extends Transport {
  readonly sent: Message[][]
}

function lineTo(kernel: Kernel): Line {
  const sent: Message[][] = []
  const answersTo = (message: Message): Buffer[] => {
    if (message.type === messageType.controller) {
      return [kernel.lookup ? errorReply(message.seq, kernel.lookup) : familyReply(message.seq, kernel.family ?? 28)]
    }
    const own = kernel.answer?.(message, message.body[0] ?? 0)
    if (own !== undefined) return own
    const wantsAck = (message.flags & 4) !== 0
    if ((message.flags & 0x300) !== 0) return [doneReply(message.seq)]
    return wantsAck && !kernel.mute ? [errorReply(message.seq, 0)] : []
  }
  return {
    sent,
    exchange: async (request, take) => {
      const messages = messagesIn(request)
      sent.push(messages)
      for (const datagram of messages.flatMap(answersTo)) {
        if (take(datagram) === 'last') return
      }
      throw new TableError('ETIMEDOUT', 'no answer')
    },
    close: () => undefined,
  }
}

const web = address('192.0.2.10:80')
const sip = 'udp:192.0.2.12:5060' as ServiceKey
const add = (id: ServiceId, text: string): Operation => ({ kind: 'add-destination', id, destination: entry(text) })
const codes = (outcomes: readonly Outcome[]): string[] => outcomes.map((o) => (o.ok ? 'ok' : o.error.code))

describe('The table over netlink', () => {
  const open = (kernel: Kernel): Promise<[Awaited<ReturnType<typeof openKernelTable>>, Line]> => {
    const line = lineTo(kernel)
    return openKernelTable({ transport: line }).then((table) => [table, line])
  }
  /** As in the capture: two services, each with a destination. */
  const populated: Kernel = {
    answer: (message, of) => {
      const { seq } = message
      if (of === command.getService) return [withSeq(dumped.sip, seq), withSeq(dumped.mark, seq), doneReply(seq)]
      if (of !== command.getDestination) return undefined
      return [withSeq(message.body.includes('\x05\0\0\0', 20) ? dumped.gate6 : dumped.gue, seq), doneReply(seq)]
    },
  }

  it('reads ours whole and names the rest', async () => {
    const [table, line] = await open(populated)
    const seen = await table.read(new Set([sip]), never)
    assert.deepEqual([...seen.keys], [sip, 'fwm6:5'])
    assert.deepEqual([...seen.services.keys()], [sip])
    const [found] = seen.services.get(sip)?.destinations ?? []
    assert.deepEqual([found?.[0], found?.[1].weight, found?.[1].forwarding], ['192.0.2.21:5060', 7, 'unknown'])
    assert.equal(line.sent.length, 3)
  })
  it('says that there is no IPVS', async () => {
    const [table] = await open({ lookup: 2 })
    await assert.rejects(table.read(new Set(), never), {
      name: 'TableError',
      code: 'ENOENT',
      message: 'this kernel has no IPVS: load the module (modprobe ip_vs) or use a kernel that has it (ENOENT)',
    })
    await assert.rejects(table.apply([{ kind: 'delete-service', id: web }], never), { code: 'ENOENT' })
  })
  it('says that it is not permitted', async () => {
    const [table] = await open({ answer: ({ seq }) => [errorReply(seq, 1)] })
    await assert.rejects(table.read(new Set(), never), { code: 'EPERM', message: /CAP_NET_ADMIN/ })
    const [outcome] = await table.apply([{ kind: 'delete-service', id: web }], never)
    assert.ok(outcome?.ok === false)
    assert.match(outcome.error.message, /CAP_NET_ADMIN.*\(EPERM\)$/)
  })
  it('rejects a dump that ends with an errno', async () => {
    const [table] = await open({ answer: ({ seq }) => [doneReply(seq, 16)] })
    await assert.rejects(table.read(new Set(), never), { code: 'EBUSY' })
  })
  it('asks for the family anew each time, for it changes with the module', async () => {
    const kernel: Kernel = { family: 28 }
    const [table, line] = await open(kernel)
    await table.read(new Set(), never)
    kernel.family = 29
    await table.read(new Set(), never)
    assert.deepEqual(
      line.sent.map(([message]) => message?.type),
      [16, 28, 16, 29],
    )
  })
  it('does not take an answer to another question for its own', async () => {
    const [table] = await open({
      answer: ({ seq }) => [errorReply(seq - 1, 1), withSeq(dumped.mark, seq + 1), doneReply(seq)],
    })
    assert.equal((await table.read(new Set(), never)).keys.size, 0)
  })
  it('sends at most a hundred messages at once, and asks the last of them for an answer', async () => {
    const [table, line] = await open({})
    const plan = Array.from({ length: 250 }, (_, index) => add(web, `192.0.2.20:${1 + index}`))
    assert.deepEqual(new Set(codes(await table.apply(plan, never))), new Set(['ok']))
    const batches = line.sent.slice(1)
    assert.deepEqual(
      batches.map((batch) => batch.length),
      [100, 100, 50],
    )
    assert.deepEqual(
      batches.map((batch) => batch.flatMap(({ flags }, at) => (flags & 4 ? [at] : []))),
      [[99], [99], [49]],
    )
  })
  it('puts each errno to its operation, also one without a name', async () => {
    const errnos = [0, 17, 0, 513]
    const [table] = await open({ answer: ({ seq }) => [errorReply(seq, errnos[(seq - 2) % 4] ?? 0)] })
    const plan = [20, 21, 22, 23].map((number) => add(web, `192.0.2.${number}:80`))
    const outcomes = codes(await table.apply(plan, never))
    assert.deepEqual(outcomes.toSorted(), ['EEXIST', 'errno 513', 'ok', 'ok'])
  })
  it('does not send what the kernel would swallow', async () => {
    const [table, line] = await open({})
    const bad: Operation = { kind: 'add-service', id: address('192.0.2.10:0'), settings: settings() }
    const outcomes = await table.apply([bad, { kind: 'delete-service', id: web }, bad], never)
    assert.deepEqual(codes(outcomes), ['EINVAL', 'ok', 'EINVAL'])
    assert.deepEqual(
      line.sent.slice(1).map((batch) => batch.length),
      [1],
    )
    assert.deepEqual(await table.apply([bad], never).then(codes), ['EINVAL'])
    assert.equal(line.sent.length, 2)
  })
  it('keeps the engine that others gave a service when it is edited', async () => {
    const [table, line] = await open(populated)
    const id = address('192.0.2.12:5060', 'udp')
    await table.apply([{ kind: 'edit-service', id, settings: settings() }], never)
    const edit = line.sent.at(-1)?.[0]
    assert.deepEqual([edit?.body[0], edit?.body.includes('sip\0')], [command.setService, true])
  })
  it('goes by the table when the last answer is lost: what holds was done', async () => {
    const [table, line] = await open({ ...populated, mute: true })
    const id = mark(5, 6)
    const plan: Operation[] = [
      add(id, '[2001:db8::21]:0 gate 1'),
      add(id, '[2001:db8::22]:0 gate 1'),
      { kind: 'delete-service', id: web },
      { kind: 'delete-destination', id, destination: entry('[2001:db8::21]:0') },
      { kind: 'delete-destination', id, destination: entry('[2001:db8::99]:0') },
      { kind: 'delete-service', id },
    ]
    assert.deepEqual(codes(await table.apply(plan, never)), ['ok', 'ETIMEDOUT', 'ok', 'ETIMEDOUT', 'ok', 'ETIMEDOUT'])
    assert.ok(line.sent.length > 2)
  })
  it('does not send the rest of a plan when the way is broken', async () => {
    const [table, line] = await open({ mute: true })
    const plan = Array.from({ length: 150 }, (_, index) => add(web, `192.0.2.20:${1 + index}`))
    assert.deepEqual(new Set(codes(await table.apply(plan, never))), new Set(['ETIMEDOUT']))
    const batches = line.sent.filter(([message]) => message?.body[0] === command.newDestination)
    assert.equal(batches.length, 1)
  })
  it('does one thing at a time', async () => {
    const line = lineTo({})
    let inside = 0
    let most = 0
    const slow: Transport = {
      ...line,
      exchange: async (...exchange) => {
        inside += 1
        most = Math.max(most, inside)
        await new Promise((resolve) => setImmediate(resolve))
        await line.exchange(...exchange)
        inside -= 1
      },
    }
    const table = await openKernelTable({ transport: slow })
    await Promise.all([
      table.read(new Set(), never),
      table.apply([add(web, '192.0.2.20:80')], never),
      table.read(new Set(), never),
    ])
    assert.equal(most, 1)
    const kinds = line.sent.map(([message]) => (message?.type === 16 ? 'lookup' : message?.body[0]))
    assert.deepEqual(kinds, [
      'lookup',
      command.getService,
      'lookup',
      command.newDestination,
      'lookup',
      command.getService,
    ])
  })
  it('goes on after a failure', async () => {
    const kernel: Kernel = { lookup: 2 }
    const [table] = await open(kernel)
    await assert.rejects(table.read(new Set(), never))
    delete kernel.lookup
    assert.equal((await table.read(new Set(), never)).keys.size, 0)
  })
  it('closes its way', async () => {
    let closed = 0
    const table = await openKernelTable({ transport: { ...lineTo({}), close: () => (closed += 1) } })
    await table.close()
    assert.equal(closed, 1)
  })
})
