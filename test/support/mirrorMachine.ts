/**
 * An apt repository of the test's own, with the distribution's packages under other versions. Nothing leaves the test's
 * network but the download of what it repacks.
 */
import type { PackageMirror } from "../../components/spec/model.ts";
import { type Mirror, publicKey } from "../../scripts/toolchain/machines/mirror.ts";
import { onMachine, type TestMachines } from "./machines.ts";

const pool = "/srv/mirror/pool";

export class MirrorMachine {
  readonly #mirror: Mirror;
  /** Public key, ASCII-armoured, that has nothing to do with what it signs. */
  readonly otherKey: string;

  private constructor(mirror: Mirror, otherKey: string) {
    this.#mirror = mirror;
    this.otherKey = otherKey;
  }

  /** `packages`: those of Debian that it is to have. It offers nothing until `offer`. */
  static async start(machines: TestMachines, packages: readonly string[]): Promise<MirrorMachine> {
    const mirror = await machines.mirror("nothing");
    await onMachine(
      mirror.container,
      `set -e
       mkdir -p /srv/unpacked
       cd /srv/unpacked
       apt-get -qq update
       apt-get -qq -o APT::Sandbox::User=root download ${packages.join(" ")} 2>/dev/null
       for file in *.deb; do dpkg-deb -R "$file" "\${file%%_*}"; rm "$file"; done
       # For compiling expressions, which nobody does here, and larger than everything else together.
       sed -i 's/, libllvm[^,]*//' */DEBIAN/control`,
    );
    return new MirrorMachine(mirror, await publicKey(mirror.container, "other"));
  }

  get mirror(): PackageMirror {
    return this.#mirror.source;
  }

  /**
   * Has exactly these, by their version: what was repacked, or an empty package of that name. What a real server's
   * package does to a service when it is upgraded, the repacked one does as well: its scripts are in it.
   */
  async offer(versions: Readonly<Record<string, string>>): Promise<void> {
    const build = Object.entries(versions).map(([name, version]) => `build ${name} ${version}`);
    await onMachine(
      this.#mirror.container,
      `set -e
       architecture=$(dpkg --print-architecture)
       build() {
         if [ ! -d "/srv/unpacked/$1" ]; then
           mkdir -p "/srv/unpacked/$1/DEBIAN"
           printf 'Package: %s\\nVersion: 0\\nArchitecture: %s\\nMaintainer: test <test@example.test>\\nDescription: empty\\n' \\
             "$1" "$architecture" > "/srv/unpacked/$1/DEBIAN/control"
         fi
         sed -i "s/^Version: .*/Version: $2/" "/srv/unpacked/$1/DEBIAN/control"
         dpkg-deb --root-owner-group -Znone -b "/srv/unpacked/$1" "${pool}/$1_$2_$architecture.deb" >/dev/null
       }
       rm -f ${pool}/*
       ${build.join("\n       ")}
       repository publish`,
    );
  }
}
