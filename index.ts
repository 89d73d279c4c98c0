/** The program: what kind of deployment the configuration asks for decides who carries it out. */
import * as pulumi from "@pulumi/pulumi";
import type { Outputs } from "./components/programs/outputs.ts";
import { kindOf } from "./components/spec/parse.ts";

// The SDK keeps the stack of every promise, and Pulumi's runner translates each by source maps, which took a third of a
// run without work. Types are stripped in place here: positions are right without a map.
Reflect.deleteProperty(Error, "prepareStackTrace");

const config = new pulumi.Config("understudy");

async function outputs(): Promise<Outputs> {
  switch (kindOf(config.getObject("deployment"))) {
    case "streaming":
      return (await import("./components/programs/pair.ts")).pair(config);
    case "patroni":
      return (await import("./components/programs/regions.ts")).regions(config);
  }
}

const told = await outputs();

/** See `Outputs`. What this kind of deployment does not have is left out: Pulumi warns of an undefined one at every run. */
export default Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
