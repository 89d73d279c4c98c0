/** A pair on machines that is right, and ways to spoil it. */
import { type Given, layOver, type Tree } from "./configuration.ts";

/** For machines the default lets in the nodes alone, and says so. */
export const clientAccess = [{ databases: ["app"], roles: ["app"], network: "198.51.100.0/24" }];

const pairOnMachines: Tree = {
  database: { clientAccess },
  sites: {
    "site-a": { target: "machines", machine: { host: "192.0.2.11" } },
    "site-b": { target: "machines", machine: { host: "192.0.2.12" } },
  },
};

/** The pair with `deployment` laid over it; `rest` is beside it. */
export const onMachines = (deployment: Tree = {}, rest: Given = {}): Given => ({
  deployment: layOver(pairOnMachines, deployment),
  ...rest,
});

export const siteA = (site: Tree): Given => onMachines({ sites: { "site-a": site } });
export const machineA = (machine: Tree): Given => siteA({ machine });

export const pathA = "deployment.sites.site-a";

export const keys = {
  ed25519: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPFULeyWwD8jzOGlddAG387bO1Beo/jvFop5VXXpWiK",
  ecdsa:
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFuhVDzXmAWqSzwWL4buUSqWFUglaJzOdCvjbpVKIh0QGGpy5baQeUgDnHpBPwWq3cYzVsoA6S+TwPN4YNFSg8I=",
  rsa: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCjqMuC7KWMCdrk3YO80eh/KyWqimh6Y4JwCpwuGwykAsZQXpElA7VdEK5PjvWXD7crMHbAm2WYY5PHiJ2KAT4K9KBenQXTh+a0K+cTNKOUUK10ddJJ29JsvUvr1/xPOXgoeOKDfozDKwdZsWuy1r+8EcaEwKAuKqSM1uPf6LrSyULN3OHTrOPdNKCFJUgCdFApTpcYbfoIhZa9XYr57WiqEwoMGE6Lj84tsXrFllb9Qd4ftJwVL5fmOXhOmd+o18WrdBxKdK2Yv5h9pTgrXdcwUq6kjAfdD+Rp5ipcioZj9nz+VY/pZEzHNUzvBrnLJUCoNDlYAGSIz5wOzQM9U05J",
};
