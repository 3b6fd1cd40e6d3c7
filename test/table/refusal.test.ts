import assert from 'node:assert/strict'
import type { Operation } from '../../src/table/operation.ts'
import { type Asked, describeRefusal, faultErrorOf, refusalOf } from '../../src/table/refusal.ts'
import { faultOf } from '../../src/table/validate.ts'
import { address, entry, mark, settings } from './fixtures.ts'

const web = address('192.0.2.10:80')
const addService: Operation = { kind: 'add-service', id: web, settings: settings({ scheduler: 'mh' }) }
const editService: Operation = { ...addService, kind: 'edit-service' }
const deleteService: Operation = { kind: 'delete-service', id: web }
const destination = entry('192.0.2.20:80 masq 1')
const add: Operation = { kind: 'add-destination', id: web, destination }
const edit: Operation = { kind: 'edit-destination', id: web, destination }
const remove: Operation = { kind: 'delete-destination', id: web, destination }

/** One word at least that tells a person what to do or to look at. */
const sentences: readonly [Asked, string, RegExp][] = [
  ['lookup', 'ENOENT', /modprobe ip_vs\b/],
  ['read', 'ENOENT', /has gone/],
  ['read', 'EPERM', /CAP_NET_ADMIN/],
  ['read', 'EACCES', /CAP_NET_ADMIN/],
  ['read', 'EPROTONOSUPPORT', /no generic netlink/],
  ['read', 'EBUSY', /busy/],
  ['read', 'ETIMEDOUT', /did not answer/],
  [addService, 'EPERM', /CAP_NET_ADMIN/],
  [addService, 'ENOENT', /no scheduler "mh": modprobe ip_vs_mh/],
  [editService, 'ENOENT', /modprobe ip_vs_mh/],
  [deleteService, 'ENOENT', /has gone/],
  [add, 'ENOENT', /has gone/],
  [edit, 'ENOENT', /no such destination/],
  [remove, 'ENOENT', /no such destination/],
  [edit, 'ESRCH', /no such virtual service/],
  [addService, 'EEXIST', /virtual service is in the kernel/],
  [add, 'EEXIST', /destination is in the virtual service/],
  [add, 'EINVAL', /multicast/],
  [addService, 'EINVAL', /out of range/],
  [add, 'ERANGE', /threshold/],
  [addService, 'EAFNOSUPPORT', /modprobe ipv6/],
  [addService, 'ENOTSUP', /does not know this operation/],
  [addService, 'EOPNOTSUPP', /does not know this operation/],
  [add, 'ENOMEM', /memory/],
  [add, 'EIO', /refuses with EIO/],
]

describe('The sentence for a refusal', () => {
  for (const [asked, code, pattern] of sentences) {
    it(`${typeof asked === 'string' ? asked : asked.kind}, ${code}`, () => {
      assert.match(describeRefusal(asked, code), pattern)
      const error = refusalOf(asked, code)
      assert.deepEqual([error.name, error.code, error.message.endsWith(` (${code})`)], ['TableError', code, true])
      assert.doesNotMatch(error.message, /\n/)
    })
  }
})

const withSettings = (parts: Parameters<typeof settings>[0], id = web): Operation => ({
  kind: 'edit-service',
  id,
  settings: settings(parts),
})
const withEntry = (text: string, id = web): Operation => ({ kind: 'edit-destination', id, destination: entry(text) })
const persistence = (timeoutSeconds: number, netmask: string): Parameters<typeof settings>[0] => ({
  persistence: { timeoutSeconds, netmask },
})

describe('What is refused before it is sent', () => {
  const web6 = address('[2001:db8::10]:80')
  const refused: readonly [string, Operation, RegExp][] = [
    ['a port above 65535', { kind: 'delete-service', id: address('192.0.2.10:65536') }, /port/],
    ['a mark of 0', { kind: 'delete-service', id: mark(0) }, /mark/],
    ['a mark above 32 bits', { kind: 'delete-service', id: mark(4294967296) }, /mark/],
    ['port 0 without persistence', withSettings({}, address('192.0.2.10:0')), /port 0/],
    ['a scheduler of 16 letters', withSettings({ scheduler: 'abcdefghijklmnop' }), /scheduler/],
    ['a scheduler with blanks', withSettings({ scheduler: 'r r' }), /scheduler/],
    ['one-packet scheduling for sctp', withSettings({ onePacket: true }, address('192.0.2.10:1', 'sctp')), /UDP/],
    ['no time', withSettings(persistence(0, '255.255.255.255')), /timeout/],
    ['half a second', withSettings(persistence(0.5, '255.255.255.255')), /timeout/],
    ['a prefix for IPv4', withSettings(persistence(60, '24')), /netmask/],
    ['a dotted mask for IPv6', withSettings(persistence(60, '255.255.255.0'), web6), /netmask/],
    ['a prefix of 0', withSettings(persistence(60, '0'), web6), /netmask/],
    [
      'a negative weight',
      { ...withEntry('192.0.2.20:80'), destination: { ...destination, weight: -1 } } as Operation,
      /weight/,
    ],
    ['a threshold above 32 bits', withEntry('192.0.2.20:80 x4294967296'), /threshold/],
    ['a destination port above 65535', withEntry('192.0.2.20:65536'), /port/],
    ['ipip with another port', withEntry('192.0.2.20:81 ipip'), /cannot change the port/],
    ['gate into another family', withEntry('[2001:db8::20]:80 gate'), /family/],
  ]
  for (const [name, operation, pattern] of refused) {
    it(name, () => {
      assert.match(faultOf(operation)?.sentence ?? 'taken', pattern)
      assert.match(faultErrorOf(operation)?.message ?? 'taken', / \((EINVAL|ERANGE)\)$/)
    })
  }
  const taken: readonly [string, Operation][] = [
    ['everyday work', addService],
    ['a delete of what could not be added', { kind: 'delete-service', id: address('192.0.2.10:0') }],
    ['port 0 with persistence', withSettings(persistence(1, '255.255.255.255'), address('192.0.2.10:0'))],
    ['31 days', withSettings(persistence(2678400, ''))],
    ['a mark with one-packet scheduling', withSettings({ onePacket: true }, mark(5))],
    ['a mark whose destinations have ports', withEntry('192.0.2.20:8080 gate', mark(5))],
    ['a tunnel into another family', withEntry('[2001:db8::20]:80 ipip')],
    ['the largest numbers', withEntry('192.0.2.20:65535 masq 2147483647 x4294967295 y4294967295')],
  ]
  for (const [name, operation] of taken) {
    it(`but not ${name}`, () => assert.deepEqual([faultOf(operation), faultErrorOf(operation)], [undefined, undefined]))
  }
})
