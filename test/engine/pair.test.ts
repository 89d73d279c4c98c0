import { pairStory } from "../suites/pairStory.ts";

pairStory({ name: "test-pair", target: "containers", net: 92, port: 16432 });
pairStory({ name: "test-mpair", target: "machines", net: 92, port: 16432 });
