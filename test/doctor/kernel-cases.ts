import { type Facts, known } from '../../src/doctor/facts.ts'
import { type Cases, gate, good, lost, marks, masq, virtual } from './case.ts'
import { sysctls } from './stage.ts'

const modules = (other: Partial<Facts['modules']>): Partial<Facts> => ({ modules: { ...good.modules, ...other } })
const ftp = (method: string): string =>
  `virtual = 192.0.2.10:21\n    real = 10.0.0.2:21 ${method}\n    checktype = connect\n`

export const kernelCases: Cases = {
  'of a good director': [
    { name: 'nothing, for masquerading', config: masq, says: [] },
    { name: 'nothing, for gate', config: gate, says: [] },
    { name: 'nothing, for a file without virtual services', config: '', says: [] },
    {
      name: 'nothing, for IPv6',
      config: 'virtual6 = [2001:db8::10]:80\n    real6 = [2001:db8::20]:80 masq\n',
      says: [],
    },
  ],
  'of ip_vs': [
    {
      name: 'an error where it is not to be had, and nothing more of schedulers',
      config: gate,
      facts: modules({ present: new Set(), loadable: known(new Set()) }),
      says: ['error ip-vs 1'],
    },
    { name: 'nothing while it can be loaded', config: gate, facts: modules({ present: new Set() }), says: [] },
    {
      name: 'an error where nothing may be loaded any more',
      config: gate,
      facts: modules({ present: new Set(), locked: true }),
      says: ['error ip-vs 1'],
    },
    {
      name: 'that it could not look',
      config: gate,
      facts: modules({ present: new Set(), loadable: lost }),
      says: ['unseen it'],
    },
  ],
  'of a scheduler': [
    {
      name: 'an error for each that is not there, at the first who wants it',
      config: `${gate}    scheduler = wlc\nvirtual = 192.0.2.11:80\n    scheduler = mh\nvirtual = 192.0.2.11:81\n    scheduler = wlc\n`,
      says: ['error scheduler 1', 'error scheduler 4'],
    },
    { name: 'nothing of one that can be loaded', config: `${gate}    scheduler = rr\n`, says: [] },
    {
      name: 'that it could not look',
      config: `${gate}    scheduler = rr\n`,
      facts: modules({ loadable: lost }),
      says: ['unseen it'],
    },
  ],
  'of ip_vs_ftp': [
    {
      name: 'a warning when it is only loadable',
      config: ftp('masq'),
      facts: modules({ present: new Set(['ip_vs', 'ip_vs_wrr']) }),
      says: ['warning ip-vs-ftp 2'],
    },
    {
      name: 'a warning when it is absent',
      config: ftp('masq'),
      facts: modules({ present: new Set(['ip_vs', 'ip_vs_wrr']), loadable: known(new Set()) }),
      says: ['warning ip-vs-ftp 2'],
    },
    {
      name: 'nothing when it is loaded',
      config: ftp('masq'),
      says: [],
    },
    {
      name: 'nothing of FTP by gate',
      config: ftp('gate'),
      facts: modules({ present: new Set(['ip_vs', 'ip_vs_wrr']) }),
      says: [],
    },
  ],
  'of quiescent and persistent': [
    {
      name: 'a warning without expire_quiescent_template',
      config: virtual('quiescent = yes', 'persistent = 60'),
      facts: { sysctls: sysctls({ 'net.ipv4.vs.expire_quiescent_template': 0 }) },
      says: ['warning expire-quiescent-template 1'],
    },
    {
      name: 'nothing without persistent',
      config: virtual('quiescent = yes'),
      facts: { sysctls: sysctls({ 'net.ipv4.vs.expire_quiescent_template': 0 }) },
      says: [],
    },
    {
      name: 'nothing without quiescent',
      config: virtual('persistent = 60'),
      facts: { sysctls: sysctls({ 'net.ipv4.vs.expire_quiescent_template': 0 }) },
      says: [],
    },
  ],
  'of expire_nodest_conn': [
    {
      name: 'a warning with quiescent = no, at the first such virtual service',
      config: `${virtual('quiescent = yes')}virtual = 192.0.2.11:80\n    quiescent = no\n`,
      facts: { sysctls: sysctls({ 'net.ipv4.vs.expire_nodest_conn': 0 }) },
      says: ['warning expire-nodest-conn 3'],
    },
    {
      name: 'nothing with quiescent = yes',
      config: virtual('quiescent = yes'),
      facts: { sysctls: sysctls({ 'net.ipv4.vs.expire_nodest_conn': 0 }) },
      says: [],
    },
    {
      name: 'once that it could not look, however many settings it wanted',
      config: virtual('quiescent = no', 'persistent = 60'),
      facts: { sysctls: new Map([...good.sysctls.keys()].map((name) => [name, lost])) },
      says: ['unseen it'],
    },
  ],
  'of conn_reuse_mode': [
    {
      name: 'a warning when it is off',
      config: gate,
      facts: { sysctls: sysctls({ 'net.ipv4.vs.conn_reuse_mode': 0 }) },
      says: ['warning conn-reuse-mode 1'],
    },
    {
      name: 'nothing for udp',
      config: virtual('protocol = udp', 'service = none'),
      facts: { sysctls: sysctls({ 'net.ipv4.vs.conn_reuse_mode': 0 }) },
      says: [],
    },
    {
      name: 'a remark on an old kernel that also tracks connections',
      config: gate,
      facts: { kernel: known('5.4.0-200-generic') },
      says: ['info reuse-delay 1'],
    },
    {
      name: 'nothing on an old kernel that does not',
      config: gate,
      facts: { kernel: known('4.19.0'), sysctls: sysctls({ 'net.ipv4.vs.conntrack': 0 }) },
      says: [],
    },
  ],
  'of conntrack': [
    {
      name: 'a warning with masquerading and rules that look at connections',
      config: masq,
      facts: { ...marks({ stateful: true }), sysctls: sysctls({ 'net.ipv4.vs.conntrack': 0 }) },
      says: ['warning conntrack 2'],
    },
    {
      name: 'nothing without such rules',
      config: masq,
      facts: { sysctls: sysctls({ 'net.ipv4.vs.conntrack': 0 }) },
      says: [],
    },
    {
      name: 'nothing with gate',
      config: gate,
      facts: { ...marks({ stateful: true }), sysctls: sysctls({ 'net.ipv4.vs.conntrack': 0 }) },
      says: [],
    },
    { name: 'nothing when it is on', config: masq, facts: marks({ stateful: true }), says: [] },
    {
      name: 'that it could not look at the rules',
      config: masq,
      facts: { ...marks({ blind: 'must be root' }), sysctls: sysctls({ 'net.ipv4.vs.conntrack': 0 }) },
      says: ['unseen the IPv4 packet filter'],
    },
  ],
}
