//! The description of the API names the routes that there are.

use super::*;
use std::collections::BTreeSet;

#[test]
fn the_description_names_the_routes_that_there_are() {
    let description: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
    let described: BTreeSet<&str> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let all = routes();
    let there: BTreeSet<&str> = all.iter().map(|(path, _)| *path).collect();
    assert_eq!(described, there);
    // The methods, as the routes print them.
    for (path, methods) in &all {
        let printed = format!("{methods:?}");
        for (method, name) in [("get", "get: Some"), ("post", "post: Some")] {
            let described = description["paths"][*path].get(method).is_some();
            let is_there = !printed.contains(&format!("{method}: None"));
            assert_eq!(described, is_there, "{path} {name}: {printed}");
        }
    }
}

mod interference;
