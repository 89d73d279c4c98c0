/**
 * A machine that is an apt repository of the test's own: signed by a key that is made there, served over HTTP, with the
 * distribution's packages under other versions. Nothing leaves the test's network but the download of what it repacks.
 */
import type { PackageMirror } from "../../components/spec/model.ts";
import { onMachine, type TestMachine } from "./machines.ts";

const PORT = 8080;
const SUITE = "test-suite";
const top = "/srv/mirror";

export class MirrorMachine {
  readonly #machine: TestMachine;
  /** Public keys, ASCII-armoured: the one that signs, and one that has nothing to do with it. */
  readonly key: string;
  readonly otherKey: string;

  private constructor(machine: TestMachine, key: string, otherKey: string) {
    this.#machine = machine;
    this.key = key;
    this.otherKey = otherKey;
  }

  /** `packages`: those of the machine's distribution that it is to have. It offers nothing until `offer`. */
  static async start(machine: TestMachine, packages: readonly string[]): Promise<MirrorMachine> {
    const made = await onMachine(
      machine.container,
      `set -e
       apt-get -qq update
       apt-get -qq -y install --no-install-recommends apt-utils busybox gpg gpg-agent >/dev/null 2>&1
       mkdir -p ${top}/pool ${top}/dists/${SUITE}/main/binary-$(dpkg --print-architecture) /srv/unpacked
       cd /srv/unpacked
       apt-get -qq -o APT::Sandbox::User=root download ${packages.join(" ")} 2>/dev/null
       for file in *.deb; do dpkg-deb -R "$file" "\${file%%_*}"; rm "$file"; done
       # For compiling expressions, which nobody does here, and larger than everything else together.
       sed -i 's/, libllvm[^,]*//' */DEBIAN/control
       for name in signer other; do
         gpg --batch --quiet --passphrase '' --quick-generate-key "$name" ed25519 sign never 2>/dev/null
       done
       systemd-run --quiet --unit mirror busybox httpd -f -p ${PORT} -h ${top}
       gpg --armor --export signer; echo ,; gpg --armor --export other`,
    );
    const [key = "", otherKey = ""] = made.split("\n,\n");
    return new MirrorMachine(machine, `${key}\n`, `${otherKey}\n`);
  }

  get mirror(): PackageMirror {
    return {
      url: `http://${this.#machine.address}:${PORT}`,
      suite: SUITE,
      components: ["main"],
      key: this.key,
    };
  }

  /**
   * Has exactly these, by their version: what was repacked, or an empty package of that name. What a real server's
   * package does to a service when it is upgraded, the repacked one does as well: its scripts are in it.
   */
  async offer(versions: Readonly<Record<string, string>>): Promise<void> {
    const build = Object.entries(versions).map(([name, version]) => `build ${name} ${version}`);
    await onMachine(
      this.#machine.container,
      `set -e
       architecture=$(dpkg --print-architecture)
       build() {
         if [ ! -d "/srv/unpacked/$1" ]; then
           mkdir -p "/srv/unpacked/$1/DEBIAN"
           printf 'Package: %s\\nVersion: 0\\nArchitecture: %s\\nMaintainer: test <test@example.test>\\nDescription: empty\\n' \\
             "$1" "$architecture" > "/srv/unpacked/$1/DEBIAN/control"
         fi
         sed -i "s/^Version: .*/Version: $2/" "/srv/unpacked/$1/DEBIAN/control"
         dpkg-deb --root-owner-group -Znone -b "/srv/unpacked/$1" "${top}/pool/$1_$2_$architecture.deb" >/dev/null
       }
       rm -f ${top}/pool/*
       ${build.join("\n       ")}
       cd ${top}
       apt-ftparchive packages pool > "dists/${SUITE}/main/binary-$architecture/Packages"
       rm -f dists/${SUITE}/*Release
       apt-ftparchive -o APT::FTPArchive::Release::Suite=${SUITE} -o APT::FTPArchive::Release::Codename=${SUITE} \\
         -o APT::FTPArchive::Release::Components=main -o "APT::FTPArchive::Release::Architectures=$architecture" \\
         release dists/${SUITE} > /srv/Release
       mv /srv/Release dists/${SUITE}/Release
       gpg --batch --quiet --local-user signer --clearsign --output dists/${SUITE}/InRelease dists/${SUITE}/Release`,
    );
  }

  /** Lets a machine reach it where packages are reached through a proxy otherwise. */
  async admit({ container }: TestMachine): Promise<void> {
    await onMachine(
      container,
      `echo 'Acquire::http::Proxy::${this.#machine.address} "DIRECT";' > /etc/apt/apt.conf.d/91mirror`,
    );
  }
}
