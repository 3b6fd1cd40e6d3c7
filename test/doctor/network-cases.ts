import { type Addresses, known } from '../../src/doctor/facts.ts'
import { type Cases, gate, good, lost, mark, marks, masq, virtual } from './case.ts'
import { link, sysctls } from './stage.ts'

const failover = ['keepalived']
const doubtful = known<Addresses>({ local: [], attached: [], doubt: { 4: 'too large', 6: undefined } })
/** Its real server is this machine. */
const own = (method: string): string => virtual(`real = 192.0.2.1:80 ${method}`)

export const networkCases: Cases = {
  'of the virtual address': [
    {
      name: 'an error when it is on no interface, once for all its ports',
      config: 'virtual = 192.0.2.99:80\nvirtual = 192.0.2.99:443\n',
      says: ['error virtual-address 1'],
    },
    {
      name: 'only a warning where an address moves between directors',
      config: 'virtual = 192.0.2.99:80\n',
      facts: { failover },
      says: ['warning virtual-address 1'],
    },
    { name: 'nothing of one in a local network', config: 'virtual = 127.4.4.4:80\n', says: [] },
    { name: 'nothing of a mark', config: mark, facts: marks({ marks: [{ value: 5, mask: 0xffffffff }] }), says: [] },
    { name: 'that it could not look', config: gate, facts: { addresses: lost }, says: ['unseen it'] },
    {
      name: 'that it could not tell, where routes are hidden',
      config: 'virtual = 192.0.2.99:80\nvirtual6 = [2001:db8::99]:80\n',
      facts: { addresses: doubtful },
      says: ['error virtual-address 2', 'unseen whether 192.0.2.99 is delivered here'],
    },
  ],
  'of forwarding': [
    {
      name: 'an error for masquerading',
      config: masq,
      facts: { sysctls: sysctls({ 'net.ipv4.ip_forward': 0 }) },
      says: ['error forwarding 2'],
    },
    {
      name: 'an error for IPv6 by its own setting',
      config: `virtual6 = [2001:db8::10]:80\n    real6 = [2001:db8::20]:80 masq\n${masq}`,
      facts: { sysctls: sysctls({ 'net.ipv6.conf.all.forwarding': 0 }) },
      says: ['error forwarding 2'],
    },
    {
      name: 'an error for a fallback alone',
      config: virtual('real = 10.0.0.2:80 gate', 'fallback = 10.0.0.9:80 masq'),
      facts: { sysctls: sysctls({ 'net.ipv4.ip_forward': 0 }) },
      says: ['error forwarding 3'],
    },
    {
      name: 'nothing for gate and ipip',
      config: virtual('real = 10.0.0.2:80 gate', 'real = 10.0.0.3:80 ipip'),
      facts: { sysctls: sysctls({ 'net.ipv4.ip_forward': 0 }) },
      says: [],
    },
    {
      name: 'nothing for a real server on this machine',
      config: virtual('real = 192.0.2.1:8080 masq'),
      facts: { sysctls: sysctls({ 'net.ipv4.ip_forward': 0 }) },
      says: [],
    },
    {
      name: 'that it could not look',
      config: masq,
      facts: { sysctls: new Map([...good.sysctls, ['net.ipv4.ip_forward', lost]]) },
      says: ['unseen it'],
    },
  ],
  'of a firewall mark': [
    { name: 'an error when no rule sets it', config: mark, says: ['error mark 1'] },
    {
      name: 'an error when another is set',
      config: mark,
      facts: marks({ marks: [{ value: 6, mask: 0xffffffff }] }),
      says: ['error mark 1'],
    },
    {
      name: 'nothing when a rule may set it together with others',
      config: mark,
      facts: marks({ marks: [{ value: 4, mask: 4 }] }),
      says: [],
    },
    {
      name: 'an error when rules only clear bits of others',
      config: mark,
      facts: marks({ marks: [{ value: 0, mask: 8 }] }),
      says: ['error mark 1'],
    },
    {
      name: 'a warning when it is set for an address that is not here',
      config: mark,
      facts: marks({ marks: [{ value: 5, mask: 0xffffffff, to: '192.0.2.99' }] }),
      says: ['warning mark-address 1'],
    },
    {
      name: 'nothing when that address is here',
      config: mark,
      facts: marks({ marks: [{ value: 5, mask: 0xffffffff, to: '192.0.2.10' }] }),
      says: [],
    },
    {
      name: 'that it could not look, where a listing failed',
      config: mark,
      facts: marks({ blind: 'must be root' }),
      says: ['unseen whether a rule sets the IPv4 mark 5'],
    },
    {
      name: 'that it could not tell, where marks are computed',
      config: mark,
      facts: marks({ computed: true }),
      says: ['unseen whether a rule sets the IPv4 mark 5'],
    },
    {
      name: 'nothing when it was found although another listing failed',
      config: mark,
      facts: marks({ blind: 'must be root', marks: [{ value: 5, mask: 0xffffffff }] }),
      says: [],
    },
    {
      name: 'an error when it is set in the other family only',
      config: 'virtual6 = 5\n    real6 = [2001:db8::20] gate\n    checktype = on\n',
      facts: marks({ marks: [{ value: 5, mask: 0xffffffff }] }),
      says: ['error mark 1'],
    },
    {
      name: 'nothing of the highest of marks, which is no negative number',
      config: mark.replace('virtual = 5', 'virtual = 4294967295'),
      facts: marks({ marks: [{ value: 0xffffffff, mask: 0xffffffff }] }),
      says: [],
    },
  ],
  'of another port': [
    { name: 'a warning for gate', config: virtual('real = 10.0.0.2:8080 gate'), says: ['warning other-port 2'] },
    { name: 'a warning for ipip', config: virtual('real = 10.0.0.2:8080 ipip'), says: ['warning other-port 2'] },
    { name: 'nothing for masq', config: virtual('real = 10.0.0.2:8080 masq'), says: [] },
    { name: 'nothing where the port is left out', config: virtual('real = 10.0.0.2 gate'), says: [] },
  ],
  'of a loopback address': [
    {
      name: 'an error for a real server by masq',
      config: virtual('real = 127.0.0.1:8080 masq'),
      says: ['error loopback-masq 2'],
    },
    {
      name: 'an error for a fallback by masq',
      config: virtual('real = 10.0.0.2:80 gate', 'fallback = 127.0.0.1:8080 masq'),
      says: ['error loopback-masq 3'],
    },
    { name: 'nothing for the usual fallback', config: virtual('fallback = 127.0.0.1:80 gate'), says: [] },
  ],
  'of a real server that is this machine': [
    { name: 'a remark by gate', config: own('gate'), says: ['info own-real 2'] },
    { name: 'nothing by masq', config: own('masq'), says: [] },
    {
      name: 'warnings of loops and ARP where directors fail over to each other',
      config: own('gate'),
      facts: { failover },
      says: ['warning packet-loop 2', 'warning own-arp 2', 'info own-real 2'],
    },
    {
      name: 'nothing of loops and ARP where both are seen to',
      config: own('gate'),
      facts: {
        failover,
        sysctls: sysctls({ 'net.ipv4.vs.backup_only': 1 }),
        links: known([link('all', 0, [1, 0]), link('lo', 0), link('eth0', 0, [0, 2])]),
      },
      says: ['info own-real 2'],
    },
    {
      name: 'a warning of rp_filter on the end of its tunnel',
      config: own('ipip'),
      facts: { links: known([link('all', 0), link('tunl0', 1), link('eth0', 0)]) },
      says: ['warning tunnel-rp-filter 2', 'info own-real 2'],
    },
    {
      name: 'nothing of rp_filter where it is loose in effect',
      config: own('ipip'),
      facts: { links: known([link('all', 2), link('tunl0', 1), link('eth0', 0)]) },
      says: ['info own-real 2'],
    },
  ],
  'of rp_filter': [
    {
      name: 'a remark when two interfaces are strict',
      config: gate,
      facts: { links: known([link('all', 1), link('lo', 0), link('eth0', 0), link('eth1', 0), link('docker0', 0)]) },
      says: ['info rp-filter 1'],
    },
    {
      name: 'nothing when only one is',
      config: gate,
      facts: { links: known([link('all', 0), link('eth0', 1), link('eth1', 0)]) },
      says: [],
    },
    {
      name: 'nothing when it is loose',
      config: gate,
      facts: { links: known([link('all', 2), link('eth0', 1), link('eth1', 1)]) },
      says: [],
    },
  ],
}
