/** All of the command line on one screen. */
export const usageText = `Usage: ldirectord-ng [-d] [CONFIG] COMMAND
       ldirectord-ng VERB [CONFIG] [options]

COMMAND, as in Perl ldirectord (without CONFIG: the instance ldirectord):
  start                  run in the background; ends when the IPVS table stands
  stop [--keep-table]    end it, and wait for its end (at most 10 s); the IPVS
                         table is cleared as cleanstop says, or kept as it is
  restart, try-restart   stop --keep-table and start; try-restart if it runs
  reload, force-reload   read the configuration again, if it is without errors
  status                 exit 0 when it runs, 3 when not, 1 on a stale pid file

VERB, for a configuration that need not run:
  run       the daemon in the foreground [--table kernel|memory] [--log stdout]
  check     every check once                                           [--json]
  plan      what a start would change in the table     [--table kernel|memory]
                              [--assume up|down] [--json] [--format ipvsadm]
  validate  the faults of a configuration                    [--json | --print]
  demo      a failover on loopback, nothing of this machine is changed [--stay]

  -d, --debug    stay in the foreground, all messages on standard error
  -h, -?, --help      -v, --version      VERB --help

CONFIG is looked for in /etc/ha.d, /etc/ha.d/conf and as given; ldirectord.cf
when absent.
`
