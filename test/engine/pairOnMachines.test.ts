import { pairStory } from "../suites/pairStory.ts";

pairStory({ name: "test-mpair", target: "machines", net: 93, port: 16452 });
