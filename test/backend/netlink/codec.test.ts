import assert from 'node:assert/strict'
import {
  encodeDestinationDump,
  encodeFamilyLookup,
  encodeOperation,
  encodeServiceDump,
} from '../../../src/backend/netlink/codec.ts'
import {
  decodeDestination,
  decodeFamilyId,
  decodeService,
  decodeServiceId,
  errnoOf,
} from '../../../src/backend/netlink/decode.ts'
import { attribute, attributesIn, type Message, messagesIn, text } from '../../../src/backend/netlink/wire.ts'
import type { Operation } from '../../../src/table/operation.ts'
import { address, entry, mark, settings } from '../../table/fixtures.ts'
import { doneReply, dumped, errorReply, familyReply, hex } from './bytes.ts'

const web = address('192.0.2.10:80')
const envelope = { family: 0x1c, seq: 7, ack: false, engine: '' }

/** Written by hand from the tables of linux/ip_vs.h; the lab's kernel takes each of them. */
const golden: readonly [string, Operation, string][] = [
  [
    'an IPv4 service',
    { kind: 'add-service', id: web, settings: settings({ scheduler: 'rr' }) },
    `5c000000 1c00 0100 07000000 00000000   01 01 0000
     4800 0180
     0600 0100 0200 0000           // AF_INET
     0600 0200 0600 0000           // tcp
     0800 0300 c000020a            // 192.0.2.10
     0600 0400 0050 0000           // port 80, big endian
     0700 0600 727200 00           // "rr"
     0c00 0700 00000000 3d000000   // no flags, of those that we know
     0800 0800 00000000
     0800 0900 ffffffff`,
  ],
  [
    'an edit of a mark of IPv6, with all that a service can have',
    {
      kind: 'edit-service',
      id: mark(5, 6),
      settings: settings({
        scheduler: 'sh',
        schedulerFlags: 0x18,
        persistence: { timeoutSeconds: 300, netmask: '64' },
      }),
    },
    `4c000000 1c00 0100 07000000 00000000   02 01 0000
     3800 0180
     0600 0100 0a00 0000           // AF_INET6
     0800 0500 05000000            // mark 5
     0700 0600 736800 00           // "sh"
     0c00 0700 19000000 3d000000   // persistent, flag-1, flag-2
     0800 0800 2c010000            // 300 s
     0800 0900 40000000            // prefix 64`,
  ],
  [
    'one-packet scheduling and a mask',
    {
      kind: 'add-service',
      id: address('192.0.2.10:53', 'udp'),
      settings: settings({ onePacket: true, persistence: { timeoutSeconds: 60, netmask: '255.255.255.0' } }),
    },
    `5c000000 1c00 0100 07000000 00000000   01 01 0000
     4800 0180
     0600 0100 0200 0000
     0600 0200 1100 0000           // udp
     0800 0300 c000020a
     0600 0400 0035 0000
     0800 0600 77727200            // "wrr"
     0c00 0700 05000000 3d000000   // persistent, one packet
     0800 0800 3c000000
     0800 0900 ffffff00`,
  ],
  [
    'a delete of an sctp service',
    { kind: 'delete-service', id: address('[2001:db8::10]:2905', 'sctp') },
    `44000000 1c00 0100 07000000 00000000   03 01 0000
     3000 0180
     0600 0100 0a00 0000
     0600 0200 8400 0000           // sctp
     1400 0300 20010db8 00000000 00000000 00000010
     0600 0400 0b59 0000`,
  ],
  [
    'a destination',
    { kind: 'add-destination', id: web, destination: entry('192.0.2.20:8080 masq 3 x10 y5') },
    `74000000 1c00 0100 07000000 00000000   05 01 0000
     2400 0180
     0600 0100 0200 0000
     0600 0200 0600 0000
     0800 0300 c000020a
     0600 0400 0050 0000
     3c00 0280
     0600 0b00 0200 0000           // AF_INET
     0800 0100 c0000214            // 192.0.2.20
     0600 0200 1f90 0000           // port 8080
     0800 0300 00000000            // masq
     0800 0400 03000000            // weight
     0800 0500 0a000000            // upper
     0800 0600 05000000            // lower`,
  ],
  [
    'an edit of an IPv6 destination',
    { kind: 'edit-destination', id: mark(5, 6), destination: entry('[2001:db8::20]:0 gate 0') },
    `70000000 1c00 0100 07000000 00000000   06 01 0000
     1400 0180
     0600 0100 0a00 0000
     0800 0500 05000000
     4800 0280
     0600 0b00 0a00 0000
     1400 0100 20010db8 00000000 00000000 00000020
     0600 0200 0000 0000
     0800 0300 03000000            // gate
     0800 0400 00000000
     0800 0500 00000000
     0800 0600 00000000`,
  ],
  [
    'a tunnel of IPv6 to a service of IPv4',
    { kind: 'add-destination', id: mark(5), destination: entry('[2001:db8::20]:0 ipip 1') },
    `70000000 1c00 0100 07000000 00000000   05 01 0000
     1400 0180
     0600 0100 0200 0000
     0800 0500 05000000
     4800 0280
     0600 0b00 0a00 0000
     1400 0100 20010db8 00000000 00000000 00000020
     0600 0200 0000 0000
     0800 0300 02000000            // tunnel
     0800 0400 01000000
     0800 0500 00000000
     0800 0600 00000000`,
  ],
  [
    'a delete of a destination',
    { kind: 'delete-destination', id: mark(5), destination: { address: '192.0.2.20', port: 80 } },
    `44000000 1c00 0100 07000000 00000000   07 01 0000
     1400 0180
     0600 0100 0200 0000
     0800 0500 05000000
     1c00 0280
     0600 0b00 0200 0000
     0800 0100 c0000214
     0600 0200 0050 0000`,
  ],
]

const only = (bytes: Buffer): Message => messagesIn(bytes)[0] ?? assert.fail('no message')

describe('The bytes that are sent', () => {
  for (const [name, operation, expected] of golden) {
    it(`are right for ${name}`, () => {
      assert.equal(encodeOperation(operation, envelope).toString('hex'), hex(expected).toString('hex'))
    })
  }
  it('are right for the family lookup', () => {
    const expected = hex('20000000 1000 0100 07000000 00000000   03 01 0000  0900 0200 4950565300 000000')
    assert.equal(encodeFamilyLookup(7).toString('hex'), expected.toString('hex'))
  })
  it('are right for a dump of the services', () => {
    const expected = hex('14000000 1c00 0103 07000000 00000000   04 01 0000')
    assert.equal(encodeServiceDump(envelope).toString('hex'), expected.toString('hex'))
  })
  it('are right for a dump of the destinations of a mark', () => {
    const expected = hex(`28000000 1c00 0103 07000000 00000000   08 01 0000
      1400 0180  0600 0100 0a00 0000  0800 0500 05000000`)
    assert.equal(encodeDestinationDump(mark(5, 6), envelope).toString('hex'), expected.toString('hex'))
  })
  it('ask for an answer where one is wanted', () => {
    const operation: Operation = { kind: 'delete-service', id: web }
    assert.equal(encodeOperation(operation, { ...envelope, ack: true }).readUInt16LE(6), 5)
  })
  it('name the engine that is to be kept', () => {
    const operation: Operation = { kind: 'edit-service', id: web, settings: settings() }
    const bytes = encodeOperation(operation, { ...envelope, engine: 'sip' })
    assert.ok(bytes.includes(hex('0800 0b00 73697000')))
  })
  it('cannot be made for what is no address: that is a bug, not a refusal', () => {
    const operation: Operation = { kind: 'delete-service', id: address('nonesuch:80') }
    assert.throws(() => encodeOperation(operation, envelope), RangeError)
  })
})

describe('The bytes that come', () => {
  it('tell the family', () => assert.equal(decodeFamilyId(only(familyReply(1, 28))), 28))
  it('tell an errno, an acknowledgement, and the end of a dump with its errno', () => {
    const errnos = [errorReply(1, 3), errorReply(1, 0), doneReply(1), doneReply(1, 16), dumped.sip].map((b) =>
      errnoOf(only(b)),
    )
    assert.deepEqual(errnos, [3, 0, 0, 16, undefined])
  })
  it('tell a service of an address, with its engine', () => {
    assert.deepEqual(decodeService(only(dumped.sip)), {
      id: address('192.0.2.12:5060', 'udp'),
      scheduler: 'lc',
      schedulerFlags: 0,
      onePacket: false,
      persistence: { timeoutSeconds: 60, netmask: '255.255.255.0' },
      engine: 'sip',
    })
  })
  it('tell a service of a mark', () => {
    assert.deepEqual(decodeService(only(dumped.mark)), {
      id: mark(5, 6),
      scheduler: 'sh',
      schedulerFlags: 0x10,
      onePacket: false,
      persistence: { timeoutSeconds: 300, netmask: '64' },
      engine: '',
    })
  })
  it('tell a destination, its connections, and that its tunnel is not ipip', () => {
    assert.deepEqual(decodeDestination(only(dumped.gue), 4), {
      address: '192.0.2.21',
      port: 5060,
      forwarding: 'unknown',
      weight: 7,
      upper: 10,
      lower: 5,
      activeConnections: 3,
      inactiveConnections: 4,
    })
  })
  it('tell a destination by its own address family', () => {
    const found = decodeDestination(only(dumped.gate6), 4)
    assert.deepEqual([found?.address, found?.port, found?.forwarding], ['2001:db8::21', 0, 'gate'])
  })
  for (const [number, method] of [
    [0, 'masq'],
    [1, 'local'],
    [2, 'ipip'],
    [3, 'gate'],
    [4, 'bypass'],
    [9, 'unknown'],
  ] as const) {
    it(`tell the forwarding method ${number} as ${method}`, () => {
      const bytes = Buffer.from(dumped.gate6)
      bytes.writeUInt32LE(number, bytes.indexOf(hex('0800 0300 03000000')) + 4)
      assert.equal(decodeDestination(only(bytes), 6)?.forwarding, method)
    })
  }
  it('leave out a service of a protocol or family that we have no word for', () => {
    const protocol = Buffer.from(dumped.sip)
    protocol.writeUInt16LE(50, protocol.indexOf(hex('0600 0200 1100')) + 4)
    const family = Buffer.from(dumped.sip)
    family.writeUInt16LE(7, family.indexOf(hex('0600 0100 0200')) + 4)
    assert.deepEqual(
      [protocol, family].map((bytes) => decodeServiceId(only(bytes))),
      [undefined, undefined],
    )
    assert.equal(decodeService(only(family)), undefined)
  })
  it('come as several messages in one datagram', () => {
    const messages = messagesIn(Buffer.concat([dumped.sip, dumped.mark, doneReply(9)]))
    assert.deepEqual(
      messages.map(({ type, seq }) => [type, seq]),
      [
        [28, 0x100002],
        [28, 0x100002],
        [3, 9],
      ],
    )
  })
  it('are refused when a length does not fit, at every place where they are cut', () => {
    const whole = dumped.sip
    for (let length = 16; length < whole.length; length += 1) {
      assert.throws(() => messagesIn(whole.subarray(0, length)), RangeError)
      const patched = Buffer.from(whole.subarray(0, length))
      patched.writeUInt32LE(length, 0)
      if (length > 24) assert.throws(() => decodeService(only(patched)), RangeError, String(length))
    }
  })
  it('are refused when an attribute claims less than its own head', () => {
    assert.throws(() => attributesIn(hex('0300 0100 00000000')), RangeError)
    assert.throws(() => messagesIn(hex('08000000 1c00 0200 00000000 00000000')), RangeError)
  })
  it('end a text at its NUL, and may lack it', () => {
    const attributes = attributesIn(Buffer.concat([attribute(1, text('rr')), attribute(2, Buffer.from('wlc'))]))
    assert.deepEqual(
      [...attributes].map(([type, bytes]) => [type, bytes.toString('latin1')]),
      [
        [1, 'rr\0'],
        [2, 'wlc'],
      ],
    )
  })
})
