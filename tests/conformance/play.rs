//! One case on one surface, step by step.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep, timeout_at};

use super::case::Case;
use super::pattern::fits;
use super::value::{Names, meant};
use super::world::{GUESTS, World, follow, perform};

/// What must come comes within it.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a case can ask to have heard; the rest passes by.
const HEARD: [&str; 7] = ["joined", "updated", "stale", "active", "left", "metadata", "message"];

/// A way to the calls of the first peer of a [`World`].
pub trait Surface {
    /// What `only` calls it.
    const NAME: &'static str;

    /// A call of its person, or of a guest. An error is `{code, message, details, recoverable}`.
    fn call(
        &self,
        guest: Option<&str>,
        operation: &str,
        room: &str,
        args: Value,
    ) -> impl Future<Output = Result<Value, Value>>;

    /// Everything that happens in a room, a snapshot first.
    fn listen(&self, room: &str) -> impl Future<Output = UnboundedReceiver<Value>>;
}

/// Plays a case; what was not as it says.
pub async fn play<S: Surface>(surface: &S, world: &World, case: &Case) -> Result<(), String> {
    let mut playing = Playing { surface, world, names: world.names(), ears: BTreeMap::new() };
    for (n, step) in case.steps.iter().enumerate() {
        let played = playing.step(step).await;
        played.map_err(|why| format!("{}, step {}, {}:\n    {why}", case.name, n + 1, Value::Object(step.clone())))?;
    }
    Ok(())
}

struct Playing<'a, S> {
    surface: &'a S,
    world: &'a World,
    names: Names,
    ears: BTreeMap<String, Ears>,
}

struct Ears {
    events: UnboundedReceiver<Value>,
    since: Instant,
}

impl<S: Surface> Playing<'_, S> {
    async fn step(&mut self, step: &Map<String, Value>) -> Result<(), String> {
        let by = step["by"].as_str().ok_or("nobody does it")?;
        let room = match step.get("room").and_then(|room| meant(room, &self.names, 1)) {
            Some(Value::String(room)) if !step.contains_key("times") => room,
            _ => "r".to_owned(),
        };
        if step.contains_key("listens") {
            self.listen(by, &room).await
        } else if let Some(expected) = step.get("hears") {
            self.hears(by, expected).await
        } else if let Some(rate) = step.get("heard") {
            self.heard(by, rate)
        } else if let Some(deed) = step.get("does") {
            self.does(by, deed).await
        } else {
            self.calls(by, &room, step).await
        }
    }

    async fn calls(&mut self, by: &str, room: &str, step: &Map<String, Value>) -> Result<(), String> {
        let operation = step["call"].as_str().ok_or("no call")?;
        if let Some(pattern) = step.get("until") {
            let within = step.get("within").and_then(Value::as_u64).map_or(PATIENCE, Duration::from_secs);
            let deadline = Instant::now() + within;
            loop {
                let answer = self.call(by, operation, room, step, 1).await.map_err(|error| error.to_string())?;
                match fits(pattern, &answer, &mut self.names.clone()) {
                    Ok(()) => return fits(pattern, &answer, &mut self.names),
                    Err(why) if Instant::now() > deadline => return Err(format!("not within {within:?}: {why}")),
                    Err(_) => sleep(Duration::from_millis(40)).await,
                }
            }
        }
        if let Some(seconds) = step.get("for").and_then(Value::as_f64) {
            let end = Instant::now() + Duration::from_secs_f64(seconds);
            while Instant::now() < end {
                let answer = self.call(by, operation, room, step, 1).await.map_err(|error| error.to_string())?;
                fits(step.get("gives").ok_or("nothing to fit")?, &answer, &mut self.names)?;
                sleep(Duration::from_millis(40)).await;
            }
            return Ok(());
        }
        let times = step.get("times").and_then(Value::as_u64).unwrap_or(1);
        for n in 1..=usize::try_from(times).map_err(|error| error.to_string())? {
            let numbered = step.get("room").and_then(|room| meant(room, &self.names, n));
            let room = numbered.as_ref().and_then(Value::as_str).unwrap_or(room);
            let answer = self.call(by, operation, room, step, n).await;
            if let Some(pattern) = step.get("refusedAtLast") {
                if let Err(error) = answer {
                    return self.refused(pattern, &error);
                }
            } else if let Some(pattern) = step.get("refused") {
                let error = answer.err().ok_or("it was taken")?;
                self.refused(pattern, &error)?;
            } else {
                let answer = answer.map_err(|error| format!("it was refused: {error}"))?;
                if let Some(pattern) = step.get("gives") {
                    let pattern = numbered_pattern(pattern, n);
                    fits(&pattern, &answer, &mut self.names)?;
                }
            }
        }
        if step.contains_key("refusedAtLast") { Err(format!("{times} of them were taken")) } else { Ok(()) }
    }

    /// An error may have more than a case names: a message always, details that are of interest elsewhere.
    fn refused(&mut self, pattern: &Value, error: &Value) -> Result<(), String> {
        let mut whole = json!({"...": true, "message": "$text"});
        for (key, value) in pattern.as_object().ok_or("no pattern")? {
            whole[key] = value.clone();
        }
        fits(&whole, error, &mut self.names).map_err(|why| format!("{why}, in {error}"))
    }

    async fn call(
        &self,
        by: &str,
        operation: &str,
        room: &str,
        step: &Map<String, Value>,
        n: usize,
    ) -> Result<Value, Value> {
        let args = step.get("args").and_then(|args| meant(args, &self.names, n)).unwrap_or(Value::Null);
        match by {
            // What a new handle does, another of the same process does not remember.
            "me" if step.contains_key("fresh") => {
                let answer = perform(&self.world.peer("me").without_memory(), operation, room, args).await;
                answer.map_err(|error| serde_json::to_value(error).expect("JSON"))
            }
            "me" => self.surface.call(None, operation, room, args).await,
            guest if GUESTS.iter().any(|(id, _)| *id == guest) => {
                self.surface.call(Some(guest), operation, room, args).await
            }
            other => {
                let answer = perform(self.world.peer(other), operation, room, args).await;
                answer.map_err(|error| serde_json::to_value(error).expect("JSON"))
            }
        }
    }

    async fn listen(&mut self, by: &str, room: &str) -> Result<(), String> {
        let mut events = match by {
            "me" => self.surface.listen(room).await,
            other => follow(self.world.peer(other), room).await,
        };
        let first = timeout_at(Instant::now() + PATIENCE, events.recv()).await.ok().flatten();
        if first.as_ref().is_none_or(|first| first["type"] != "snapshot") {
            return Err(format!("it does not begin with a snapshot but {first:?}"));
        }
        self.ears.insert(by.to_owned(), Ears { events, since: Instant::now() });
        Ok(())
    }

    async fn hears(&mut self, by: &str, expected: &Value) -> Result<(), String> {
        let ears = self.ears.get_mut(by).ok_or("nobody listens")?;
        let deadline = Instant::now() + PATIENCE;
        for pattern in expected.as_array().ok_or("no list")? {
            let heard = loop {
                let event = timeout_at(deadline, ears.events.recv()).await.ok().flatten();
                let event = event.ok_or_else(|| format!("nothing came that is {pattern}"))?;
                if HEARD.iter().any(|known| event["type"] == *known) {
                    break event;
                }
            };
            let mut pattern = pattern.clone();
            pattern["..."] = json!(true);
            fits(&pattern, &heard, &mut self.names).map_err(|why| format!("{why}, in {heard}"))?;
        }
        Ok(())
    }

    fn heard(&mut self, by: &str, rate: &Value) -> Result<(), String> {
        let ears = self.ears.get_mut(by).ok_or("nobody listens")?;
        let mut count = 0.0;
        while let Ok(event) = ears.events.try_recv() {
            count += f64::from(u8::from(event["type"] == rate["type"]));
        }
        // The first goes out at once, and one may be on its way.
        let most = rate["atMostASecond"].as_f64().ok_or("no rate")? * ears.since.elapsed().as_secs_f64() + 2.0;
        if count <= most { Ok(()) } else { Err(format!("{count} were heard, more than {most}")) }
    }

    async fn does(&self, by: &str, deed: &Value) -> Result<(), String> {
        let peer = self.world.peer(by);
        match deed.as_str() {
            Some("crash") => peer.lab().ok_or("no lab")?.crash().await,
            Some("meet") => {
                let me = self.world.peer("me").status().await.listen;
                peer.dial(me.first().ok_or("nobody listens")?).await.map_err(|error| error.to_string())?;
            }
            _ => return Err(format!("nobody can do {deed}")),
        }
        Ok(())
    }
}

/// The pattern of the call of this number.
fn numbered_pattern(pattern: &Value, n: usize) -> Value {
    match pattern {
        Value::String(word) if word == "$n" => n.into(),
        Value::Array(items) => items.iter().map(|item| numbered_pattern(item, n)).collect(),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(key, value)| (key.clone(), numbered_pattern(value, n))).collect())
        }
        other => other.clone(),
    }
}
