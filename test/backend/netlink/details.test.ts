import assert from 'node:assert/strict'
import { openKernelTable } from '../../../src/backend/netlink/adapter.ts'
import { encodeQuestion, encodeTimeouts } from '../../../src/backend/netlink/codec.ts'
import { command, messageType } from '../../../src/backend/netlink/constants.ts'
import {
  decodeDestinationDetails,
  decodeInfo,
  decodeServiceDetails,
} from '../../../src/backend/netlink/decode-details.ts'
import type { Transport } from '../../../src/backend/netlink/transport.ts'
import { type Message, messagesIn } from '../../../src/backend/netlink/wire.ts'
import type { IpvsTable } from '../../../src/table/details.ts'
import { TableError } from '../../../src/table/operation.ts'
import { address, never } from '../../table/fixtures.ts'
import { doneReply, dumped, errorReply, familyReply, hex, withSeq } from './bytes.ts'

/** STATS, as it follows in a dump: ten numbers, the bytes with 64 bits. */
const stats = `
  0800 0100 01000000                             // connections
  0800 0200 19000000  0800 0300 17000000         // packets in, out
  0c00 0400 a409000000000000  0400 0b00          // bytes in, and padding
  0c00 0500 0c29060000000000                     // bytes out
  0800 0600 00000000                             // connections per second
  0800 0700 03000000  0800 0800 03000000
  0800 0900 34010000  0800 0a00 21c50000`
/** STATS64: other numbers, so that a test sees which were taken. */
const stats64 = `
  0c00 0100 0200000000000000  0400 0b00
  0c00 0200 1a00000000000000  0400 0b00
  0c00 0300 1800000000000000  0400 0b00
  0c00 0400 a409000001000000  0400 0b00          // 4294969764
  0c00 0500 0c29060000000000  0400 0b00
  0c00 0600 0100000000000000  0400 0b00
  0c00 0700 0400000000000000  0400 0b00
  0c00 0800 0500000000000000  0400 0b00
  0c00 0900 3501000000000000  0400 0b00
  0c00 0a00 22c5000000000000`

/** As captured from Linux 6.1, the numbers changed. */
const captured = {
  service: hex(`
    68010000 1c00 0200 02001000 c4020008   01 01 0000
    5401 0100
    0600 0100 0200 0000  0600 0200 0600 0000
    1400 0300 0a090001 00000000 00000000 00000000
    0600 0400 0050 0000
    0700 0600 727200 00
    0c00 0700 03000000 ffffffff
    0800 0800 3c000000
    0800 0900 ffffffff
    6000 0a00 ${stats}
    a000 0c00 ${stats64}`),
  gue: hex(`
    f0000000 1c00 0200 03001000 c4020008   05 01 0000
    dc00 0200
    1400 0100 0a000009 00000000 00000000 00000000
    0600 0200 0050 0000
    0800 0300 02000000                             // tunnel
    0800 0400 00000000
    0500 0d00 01 000000                            // gue
    0600 0e00 17c0 0000                            // port 6080
    0600 0f00 0100 0000                            // csum
    0800 0500 00000000  0800 0600 00000000
    0800 0700 05000000  0800 0800 06000000  0800 0900 07000000
    0600 0b00 0200 0000
    6400 0a00 ${stats}  0400 0b00`),
  config: hex(
    '2c000000 1c00 0000 02002000 c4020008  0c 01 0000  0800 0400 84030000  0800 0500 78000000  0800 0600 2c010000',
  ),
  info: hex('24000000 1c00 0000 02004000 c4020008  0e 01 0000  0800 0100 01020100  0800 0200 00100000'),
}

const only = (bytes: Buffer): Message => messagesIn(bytes)[0] ?? assert.fail('no message')
const envelope = { family: 0x1c, seq: 7 }

const narrow = {
  totals: { connections: 1, inPackets: 25, outPackets: 23, inBytes: 2468, outBytes: 403724 },
  rates: { connections: 0, inPackets: 3, outPackets: 3, inBytes: 308, outBytes: 50465 },
}
const wide = {
  totals: { connections: 2, inPackets: 26, outPackets: 24, inBytes: 4294969764, outBytes: 403724 },
  rates: { connections: 1, inPackets: 4, outPackets: 5, inBytes: 309, outBytes: 50466 },
}

describe('The bytes of details', () => {
  it('are right for a question', () => {
    const expected = hex('14000000 1c00 0500 07000000 00000000  0d 01 0000')
    assert.equal(encodeQuestion('getConfig', envelope).toString('hex'), expected.toString('hex'))
    assert.equal(encodeQuestion('getInfo', envelope)[16], 15)
  })
  it('are right for time-outs', () => {
    const expected = hex(`2c000000 1c00 0500 07000000 00000000  0c 01 0000
      0800 0400 20030000  0800 0500 00000000  0800 0600 c8000000`)
    const bytes = encodeTimeouts({ tcp: 800, tcpFin: 0, udp: 200 }, envelope)
    assert.equal(bytes.toString('hex'), expected.toString('hex'))
  })
  it('tell the counters of a service, those of 64 bits where the kernel has them', () => {
    const { totals, rates, id, scheduler } = decodeServiceDetails(only(captured.service)) ?? assert.fail()
    assert.deepEqual({ totals, rates, id, scheduler }, { ...wide, id: address('10.9.0.1:80'), scheduler: 'rr' })
  })
  it('tell the counters of 32 bits where there are no others', () => {
    const old = Buffer.from(captured.service)
    old.writeUInt16LE(0x0f0f, old.indexOf(hex('a000 0c00')) + 2)
    const { totals, rates } = decodeServiceDetails(only(old)) ?? assert.fail()
    assert.deepEqual({ totals, rates }, narrow)
  })
  it('tell a destination with counters, persistent clients and its tunnel', () => {
    assert.deepEqual(decodeDestinationDetails(only(captured.gue), 4), {
      address: '10.0.0.9',
      port: 80,
      forwarding: 'unknown',
      weight: 0,
      upper: 0,
      lower: 0,
      activeConnections: 5,
      inactiveConnections: 6,
      persistentConnections: 7,
      ...narrow,
      tunnel: { type: 'gue', port: 6080, checksum: 'csum' },
    })
  })
  for (const [type, flags, expected] of [
    [0, 0, undefined],
    [1, 0, { type: 'gue', port: 6080, checksum: 'nocsum' }],
    [1, 2, { type: 'gue', port: 6080, checksum: 'remcsum' }],
    [2, 0, { type: 'gre', port: 6080, checksum: 'nocsum' }],
    [9, 0, undefined],
  ] as const) {
    it(`tell the tunnel of type ${type} with flags ${flags} as ${expected?.type ?? 'none'}`, () => {
      const bytes = Buffer.from(captured.gue)
      bytes.writeUInt8(type, bytes.indexOf(hex('0500 0d00')) + 4)
      bytes.writeUInt16LE(flags, bytes.indexOf(hex('0600 0f00')) + 4)
      assert.deepEqual(decodeDestinationDetails(only(bytes), 4)?.tunnel, expected)
    })
  }
  it('tell nought where a kernel says nothing', () => {
    const { totals, persistentConnections } = decodeDestinationDetails(only(dumped.gate6), 6) ?? assert.fail()
    assert.deepEqual([totals.outBytes, persistentConnections], [0, 0])
  })
  it('leave out what cannot be named', () => {
    const bytes = Buffer.from(captured.service)
    bytes.writeUInt16LE(50, bytes.indexOf(hex('0600 0200 0600')) + 4)
    assert.equal(decodeServiceDetails(only(bytes)), undefined)
    assert.equal(decodeDestinationDetails(only(captured.service), 4), undefined)
  })
  it('tell the version, its numbers a byte each', () => {
    assert.deepEqual(decodeInfo(only(captured.info)), { version: '1.2.1', connectionTableSize: 4096 })
  })
  it('are refused when a length does not fit, at every place where they are cut', () => {
    const whole = captured.service
    for (let length = 24; length < whole.length; length += 1) {
      const patched = Buffer.from(whole.subarray(0, length))
      patched.writeUInt32LE(length, 0)
      assert.throws(() => decodeServiceDetails(only(patched)), RangeError, String(length))
    }
  })
})

describe('Details over netlink', () => {
  /** Answers by command; what has none gets an acknowledgement, or the end of a dump. */
  const open = (
    answers: Readonly<Record<number, readonly Buffer[]>>,
  ): { table: Promise<IpvsTable>; sent: Message[] } => {
    const sent: Message[] = []
    const transport: Transport = {
      exchange: async (request, take) => {
        const message = only(request)
        sent.push(message)
        const { seq } = message
        const own = message.type === messageType.controller ? [familyReply(seq, 28)] : answers[message.body[0] ?? 0]
        const end = (message.flags & 0x300) !== 0 ? doneReply(seq) : errorReply(seq, 0)
        for (const datagram of [...(own ?? []).map((bytes) => withSeq(bytes, seq)), end]) {
          if (take(datagram) === 'last') return
        }
        throw new TableError('ETIMEDOUT', 'no answer')
      },
      close: () => undefined,
    }
    return { table: openKernelTable({ transport }), sent }
  }

  it('are read service by service', async () => {
    const { table, sent } = open({
      [command.getService]: [captured.service],
      [command.getDestination]: [captured.gue],
    })
    const details = await (await table).details(never)
    assert.deepEqual([...details.keys()], ['tcp:10.9.0.1:80'])
    const [found] = details.values()
    assert.deepEqual([...(found?.destinations.keys() ?? [])], ['10.0.0.9:80'])
    assert.equal(sent.length, 3)
  })
  it('bring the time-outs, and the answer is awaited to its end', async () => {
    const { table } = open({ [command.getConfig]: [captured.config] })
    assert.deepEqual(await (await table).timeouts(never), { tcp: 900, tcpFin: 120, udp: 300 })
  })
  it('set the time-outs', async () => {
    const { table, sent } = open({})
    await (await table).setTimeouts({ tcp: 1, tcpFin: 2, udp: 3 }, never)
    assert.equal(sent.at(-1)?.body[0], command.setConfig)
  })
  it('do not send time-outs that the kernel would make nonsense of', async () => {
    const { table, sent } = open({})
    await assert.rejects((await table).setTimeouts({ tcp: 42949673, tcpFin: 0, udp: 0 }, never), { code: 'EINVAL' })
    assert.equal(sent.length, 0)
  })
  it('say that an answer without content makes no sense', async () => {
    const { table } = open({})
    await assert.rejects((await table).info(never), { name: 'TableError', code: 'EBADMSG' })
  })
  it('say that it is not permitted', async () => {
    const { table } = open({ [command.getService]: [errorReply(0, 1)], [command.getConfig]: [errorReply(0, 1)] })
    await assert.rejects((await table).details(never), { code: 'EPERM', message: /CAP_NET_ADMIN/ })
    await assert.rejects((await table).timeouts(never), { code: 'EPERM' })
  })
})
